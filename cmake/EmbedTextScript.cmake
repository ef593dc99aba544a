include(${CMAKE_CURRENT_LIST_DIR}/HexBytes.cmake)
get_filename_component(name ${FILE} NAME)
hermes_hex_bytes(bytes ${FILE})
file(WRITE ${OUT} "// Generated from ${name}.
#include \"${HEADER}\"

static const unsigned char k_text[] = {${bytes}0x00};

std::string_view ${NAMESPACE}::${FUNCTION}() {
  return {reinterpret_cast<const char*>(k_text), sizeof(k_text) - 1};
}
")
