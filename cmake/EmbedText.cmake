# hermes_embed_text(OUT FILE HEADER h NAMESPACE n FUNCTION f): writes a .cpp that defines n::f(), the file as a std::string_view, as
# the header declares it. Only the .cpp is generated, so editing the text recompiles one file.
function(hermes_embed_text out file)
  cmake_parse_arguments(ARG "" "HEADER;NAMESPACE;FUNCTION" "" ${ARGN})
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DFILE=${file} -DHEADER=${ARG_HEADER} -DNAMESPACE=${ARG_NAMESPACE}
      -DFUNCTION=${ARG_FUNCTION} -P ${CMAKE_SOURCE_DIR}/cmake/EmbedTextScript.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/EmbedTextScript.cmake ${CMAKE_SOURCE_DIR}/cmake/HexBytes.cmake
    VERBATIM)
endfunction()
