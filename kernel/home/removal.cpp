#include "kernel/home/removal.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/mounts.hpp"

namespace hermes::home {

namespace {

constexpr std::int64_t k_files_at_a_time = 100;
constexpr std::chrono::milliseconds k_pause{20};
constexpr int k_deepest = 1000;  // each level holds a descriptor

struct CloseDirectory {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// `name` in the directory `parent`, itself and no link.
Directory open_directory(int parent, const char* name) {
  Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return Directory(fd ? ::fdopendir(fd.release()) : nullptr);
}

bool is_dots(const char* name) {
  return std::string_view(name) == "." || std::string_view(name) == "..";
}

void measure(int parent, const char* name, int depth, TreeSize& size) {
  struct stat facts {};
  if (depth > k_deepest || ::fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    return;
  }
  if (!S_ISDIR(facts.st_mode)) {
    size += {1, facts.st_size};
    return;
  }
  const Directory dir = open_directory(parent, name);
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
    if (!is_dots(entry->d_name)) {
      measure(::dirfd(dir.get()), entry->d_name, depth + 1, size);
    }
  }
}

// 0 or errno.
int remove_below(int parent, const char* name, int depth, TreeSize& removed) {
  struct stat facts {};
  if (::fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? 0 : errno;
  }
  if (!S_ISDIR(facts.st_mode)) {
    if (::unlinkat(parent, name, 0) != 0) {
      return errno == ENOENT ? 0 : errno;
    }
    removed += {1, facts.st_size};
    if (removed.files % k_files_at_a_time == 0) {
      std::this_thread::sleep_for(k_pause);
    }
    return 0;
  }
  if (depth > k_deepest) {
    return ELOOP;
  }
  {
    const Directory dir = open_directory(parent, name);
    if (!dir) {
      return errno;
    }
    while (const dirent* entry = ::readdir(dir.get())) {
      if (is_dots(entry->d_name)) {
        continue;
      }
      if (const int problem = remove_below(::dirfd(dir.get()), entry->d_name, depth + 1, removed)) {
        return problem;
      }
    }
  }
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

}  // namespace

TreeSize& TreeSize::operator+=(const TreeSize& other) {
  files += other.files;
  bytes += other.bytes;
  return *this;
}

TreeSize tree_size(const fs::path& dir) {
  TreeSize size;
  measure(AT_FDCWD, dir.c_str(), 0, size);
  return size;
}

Result<TreeSize> remove_tree(const fs::path& dir) {
  if (!is_there(dir)) {
    return TreeSize{};
  }
  TRY_ASSIGN(const bool mounted, has_mount(dir));
  if (mounted) {
    return fail(ErrorCode::conflict,
                fmt::format("something is mounted in {}", printable(dir.string())),
                "unmount it and try again");
  }
  TreeSize removed;
  if (const int problem = remove_below(AT_FDCWD, dir.c_str(), 0, removed); problem != 0) {
    return std::unexpected(system_error("remove", dir, problem));
  }
  return removed;
}

DraftDirectory::~DraftDirectory() {
  if (!kept_) {
    (void)remove_tree(path_);
  }
}

}  // namespace hermes::home
