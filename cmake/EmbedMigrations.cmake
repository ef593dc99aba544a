# hermes_embed_migrations(OUT): writes a .cpp with every migrations/NNNN_name.sql as a byte array, its number, name and
# SHA-256. Only the .cpp is generated, so editing SQL recompiles one file.
function(hermes_embed_migrations out)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/migrations/[0-9][0-9][0-9][0-9]_*.sql)
  list(SORT files)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/EmbedMigrationsScript.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedMigrationsScript.cmake
      ${CMAKE_SOURCE_DIR}/cmake/HexBytes.cmake
    VERBATIM)
endfunction()
