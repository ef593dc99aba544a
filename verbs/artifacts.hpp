#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/home/attachments.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

// What a completion names as made, once the files of the scratch workspace have been copied.
struct Artifacts {
  std::vector<std::string> list;         // where each is from now on, in the order given, each once
  std::vector<home::StoredFile> copies;  // removed again unless they are kept
  std::vector<std::string> unverified;   // of the list: what lies outside, and was not looked at
};

// Copies what `named` names in the scratch workspace of the task to its attachments. Their rows are
// the caller's: nothing here is written to the board. Error: of the first that is not to be had
// (not_found, invalid, unavailable); the copies before it are removed.
Result<Artifacts> copy_artifacts(const OpenBoard& open, const std::string& task_id,
                                 const std::vector<std::string>& named);

// --artifact, as whole paths: a relative one counts from the directory of the caller.
std::vector<std::string> artifacts_of(const Call& call);

}  // namespace hermes::verbs
