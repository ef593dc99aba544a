#pragma once

#include <filesystem>

#include "kernel/base/error.hpp"

namespace hermes::home {

// True when something else is mounted at `dir` or below it: to remove the directory would be to
// empty what is mounted. Error: unavailable when that cannot be known, such as for a directory that
// is not there.
Result<bool> has_mount(const std::filesystem::path& dir);

}  // namespace hermes::home
