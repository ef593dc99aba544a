# hermes_hex_bytes(OUT FILE): the file as the inside of a C array, "0x41,0x42,". Hexadecimal needs no delimiter and has no length
# limit, unlike a string literal.
function(hermes_hex_bytes out file)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()
