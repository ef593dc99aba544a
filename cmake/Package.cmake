# The Debian package, made by scripts/package.sh from the preset "deb".
set(CPACK_PACKAGE_NAME hermes-kanban)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "Hermes developers")
set(CPACK_PACKAGE_CONTACT "Hermes developers <hermes@hermes-kanban.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "durable kanban board for work that runs as processes")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
# Installs to the real prefix below a staging directory: the service's unit names its program by the whole path.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "git, libpam-systemd")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, sqlite3")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"People, scripts and agents put tasks on a board; a dispatcher starts a worker
process for each ready task, in the order the links between them demand. A
worker is any command. Every attempt, result and failure stays on the board,
and nothing that was acknowledged is lost when a worker, the dispatcher or
the machine dies. One host, one SQLite file per board, no server.
.
The dispatcher runs as a service of the user's own systemd or by hand; the
package starts and enables nothing.")

# What Debian asks of a package and an installation by hand does without.
set(CPACK_HERMES_SOURCE_DIR ${CMAKE_SOURCE_DIR})
set(CPACK_HERMES_MANDIR ${CMAKE_INSTALL_MANDIR})
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debian/Stage.cmake)
include(CPack)
