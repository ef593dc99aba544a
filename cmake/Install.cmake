# What is installed and where. Included after the targets. (The service's unit comes with systemd/.)

# The programs find each other from where they are themselves, so that an installed tree can be moved as a whole.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBEXECDIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_BINDIR} OUTPUT_VARIABLE from_bin)
if(NOT from_bin STREQUAL "../libexec")
  message(FATAL_ERROR "CMAKE_INSTALL_LIBEXECDIR is ${CMAKE_INSTALL_FULL_LIBEXECDIR}, but hermes-shim is looked for in "
    "../libexec/hermes beside ${CMAKE_INSTALL_FULL_BINDIR}: leave CMAKE_INSTALL_LIBEXECDIR as it is and choose the prefix")
endif()
install(TARGETS hermes hermes-dispatcher RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
install(TARGETS hermes-shim RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/hermes COMPONENT programs)

# Written by the programs themselves at build time.
set(HERMES_ZSH_DIR share/zsh/site-functions CACHE STRING
  "Where zsh looks for completions, below the prefix; Debian packages use share/zsh/vendor-completions")
if(TARGET hermes_manual)
  foreach(section 1 8)
    install(DIRECTORY ${CMAKE_BINARY_DIR}/manual/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT manual
      FILES_MATCHING PATTERN "*.${section}")
  endforeach()
  set(completion ${CMAKE_BINARY_DIR}/completion)
  install(FILES ${completion}/hermes.bash RENAME hermes DESTINATION share/bash-completion/completions COMPONENT completion)
  install(FILES ${completion}/_hermes DESTINATION ${HERMES_ZSH_DIR} COMPONENT completion)
  install(FILES ${completion}/hermes.fish DESTINATION share/fish/vendor_completions.d COMPONENT completion)
endif()

# As they lie in the source tree, so that their links hold.
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents
  FILES_MATCHING PATTERN "*.md" PATTERN examples EXCLUDE)
install(DIRECTORY docs/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)
