#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "kernel/base/error.hpp"

namespace hermes::home {

namespace fs = std::filesystem;

// What a directory holds, or what was removed with it.
struct TreeSize {
  std::int64_t files = 0;
  std::int64_t bytes = 0;

  TreeSize& operator+=(const TreeSize& other);
};

// Links are counted, not followed. What cannot be read counts nothing.
TreeSize tree_size(const fs::path& dir);

// Removes the directory and all that is in it, a few files at a time: some filesystems pay for
// thousands at once with minutes. Links are removed, not followed, also when somebody puts them
// there meanwhile. Nothing there is nothing removed. Error: conflict when something is mounted
// there; unavailable.
Result<TreeSize> remove_tree(const fs::path& dir);

// A directory of ours that is being filled: removed with all that is in it, unless it is kept.
class DraftDirectory {
 public:
  explicit DraftDirectory(fs::path path) : path_(std::move(path)) {}
  ~DraftDirectory();
  DraftDirectory(const DraftDirectory&) = delete;
  DraftDirectory& operator=(const DraftDirectory&) = delete;

  const fs::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

}  // namespace hermes::home
