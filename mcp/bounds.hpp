#pragma once

#include <cstddef>
#include <string>

#include "verbs/json.hpp"

// Bounds of what is answered: a board may hold more than a model can read.
namespace hermes::mcp {

using verbs::Json;

inline constexpr std::size_t k_most_rows = 200;  // of a list that is asked for

// A long text as its beginning, with what is missing said.
void cut_text(Json& text, std::size_t most_bytes);

// Each value of an object by itself, so that every key stays. A list or an object that is too long
// becomes a text: the beginning of its JSON.
void cut_values(Json& object, std::size_t most_bytes);

enum class Keep { first, last };
struct ListBounds {
  std::size_t rows = 0;
  std::size_t bytes = 128 * 1024;    // of the whole list, as JSON; one row always stays
  std::size_t row_bytes = 8 * 1024;  // of a text or value in a row
  Keep keep = Keep::last;
};
// How many were left out.
std::size_t cut_list(Json& list, const ListBounds& bounds);

}  // namespace hermes::mcp
