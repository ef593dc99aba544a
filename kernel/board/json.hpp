#pragma once

#include <string_view>

#include "kernel/base/text.hpp"

namespace hermes::board {

// JSON from outside or out of a row: every text of unknown origin is parsed here. Discarded
// (is_discarded) when it is no JSON, or nests too deep.
template <class Json>
Json parse_json(std::string_view text) {
  return nests_too_deep(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

}  // namespace hermes::board
