#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kernel/base/error.hpp"

namespace hermes::mcp {

// RFC 4648, section 4, and nothing else: no line breaks, no other alphabet, padded, and the bits
// that the padding leaves over are zero, so that every content has one form. `what` names the value
// in messages. Error: usage; invalid when it stands for more than `most` bytes.
Result<std::string> decode_base64(std::string_view what, std::string_view text, std::size_t most);

}  // namespace hermes::mcp
