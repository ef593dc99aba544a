#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/base/fd.hpp"
#include "kernel/home/paths.hpp"

// Files that a worker has made in its scratch workspace, which goes away with its task.
namespace hermes::home {

struct Artifact {
  fs::path path;  // with every link resolved
  Fd file;        // for reading
};

// The file that `given` names, if it lies in the scratch workspace that we made for the task; a
// relative path counts from there. Nothing for what lies elsewhere, and for an address
// ("https://…"): that does not go away with the task. A link in the workspace may lead to another
// file in it, never out of it. Error: not_found, invalid (no regular file, a link that leads out),
// unavailable.
Result<std::optional<Artifact>> open_artifact(const BoardPaths& board, const std::string& task_id,
                                              const std::string& given);

// Whether the text is an address and not a path.
bool is_address(std::string_view text);

}  // namespace hermes::home
