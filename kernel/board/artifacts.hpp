#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"

// What a worker says it has made: the list under "artifacts" in the metadata of its completion.
namespace hermes::board {

inline constexpr std::size_t k_most_artifacts = 100;

// In the order given, each once; a single text is a list of one; none without metadata. `metadata`:
// text of a JSON object. Error: invalid (no list of texts, a blank one, one of more than
// k_path_bytes bytes, more than k_most_artifacts).
Result<std::vector<std::string>> artifacts_in(const std::optional<std::string>& metadata);

// The metadata with `artifacts` as its list.
std::string with_artifacts(const std::optional<std::string>& metadata,
                           const std::vector<std::string>& artifacts);

}  // namespace hermes::board
