# Run by cpack over the staged tree, before it is packed: compresses the manual, writes the copyright, adds the changelog and what
# lintian is to overlook.
cmake_minimum_required(VERSION 3.25)

set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
set(doc ${usr}/share/doc/${CPACK_PACKAGE_NAME})

# gzip -n: the same input gives the same package.
function(compress file)
  execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(GLOB pages ${usr}/${CPACK_HERMES_MANDIR}/man*/*.[1-9])
foreach(page ${pages})
  compress(${page})
endforeach()

set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^${CPACK_PACKAGE_NAME} \\(${version}\\) ")
  message(FATAL_ERROR "the package is ${CPACK_PACKAGE_NAME} ${version}, but cmake/debian/changelog begins with: ${newest}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog ${doc}/changelog.Debian COPYONLY)
compress(${doc}/changelog.Debian)

# The copyright: what the source tree says of itself, then the terms of everything that is compiled into the programs.
file(GLOB licence ${CPACK_HERMES_SOURCE_DIR}/LICENSE* ${CPACK_HERMES_SOURCE_DIR}/COPYING*)
set(text "Hermes\n======\n\n")
if(licence)
  foreach(file ${licence})
    file(READ ${file} terms)
    string(APPEND text "${terms}\n")
  endforeach()
else()
  string(APPEND text
    "The source tree from which this package was built holds no licence and no statement\n"
    "of copyright. This file can state no terms for it.\n\n")
endif()
# Boost's and fmt's licences ask for no notice in a program; the others do, or are linked statically (libc into hermes-shim).
foreach(package libsqlitecpp-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libtomlplusplus-dev libc6-dev)
  execute_process(COMMAND dpkg-query -W -f "\${source:Package} \${source:Version}" ${package}
    OUTPUT_VARIABLE origin COMMAND_ERROR_IS_FATAL ANY)
  file(READ /usr/share/doc/${package}/copyright terms)
  string(REPEAT "=" 72 line)
  string(APPEND text "\n${line}\nParts of the Debian source package ${origin} (${package}) are\n"
    "compiled into the programs. Its terms:\n\n${terms}")
endforeach()
file(WRITE ${doc}/copyright "${text}")

configure_file(${CMAKE_CURRENT_LIST_DIR}/lintian-overrides ${usr}/share/lintian/overrides/${CPACK_PACKAGE_NAME} COPYONLY)

file(GLOB_RECURSE written ${doc}/* ${usr}/share/lintian/*)
file(CHMOD ${written} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(CHMOD ${usr}/share/lintian ${usr}/share/lintian/overrides PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
