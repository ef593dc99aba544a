#pragma once

#include <filesystem>

namespace hermes::home {

// True when something else is mounted at `dir` or below it, or when that cannot be known: to remove
// the directory would be to empty what is mounted.
bool has_mount(const std::filesystem::path& dir);

}  // namespace hermes::home
