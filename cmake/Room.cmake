# hermes_room(NAME DIR [SOURCES file…] USES target…)
#
# One library per room (static, or header-only without SOURCES). A room sees the headers of the rooms it links and no others: its
# headers are published through a directory that holds nothing but a link to that room, so an include that the dependency
# rule forbids does not compile.
function(hermes_room name dir)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  get_filename_component(parent ${view}/${dir} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${dir} ${view}/${dir} SYMBOLIC)
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC ${view})
    target_link_libraries(${name} PUBLIC ${ARG_USES} PRIVATE hermes_standard)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${view})
    target_link_libraries(${name} INTERFACE ${ARG_USES})
  endif()
endfunction()
