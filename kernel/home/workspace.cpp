#include "kernel/home/workspace.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/removal.hpp"

namespace hermes::home {

namespace {

// Only a directory that carries our mark is ever deleted: an extended attribute, which costs no
// file of its own, or where the filesystem has none (tmpfs of older kernels), a file.
constexpr const char* k_mark = "user.hermes.workspace";
constexpr const char* k_marker_file = ".hermes-workspace";
constexpr const char* k_aside = ".removed-";
constexpr int k_most_aside = 100;  // of one task

Result<void> mark(const fs::path& dir, const std::string& task_id) {
  if (::lsetxattr(dir.c_str(), k_mark, task_id.data(), task_id.size(), 0) == 0) {
    return {};
  }
  if (errno != ENOTSUP) {
    return std::unexpected(system_error("mark the workspace", dir, errno));
  }
  return write_file_atomically(dir / k_marker_file, task_id);
}

// The mark names the task. A file of that name counts only where there can be no attribute: it may
// have come with what lies there.
bool is_marked(const fs::path& dir, const std::string& task_id) {
  std::string name(task_id.size() + 1, '\0');
  const ssize_t size = ::lgetxattr(dir.c_str(), k_mark, name.data(), name.size());
  if (size < 0 && errno == ENOTSUP) {
    const auto file = open_regular(dir / k_marker_file, Links::refused);
    return file &&
           ::read(file->get(), name.data(), name.size()) == static_cast<ssize_t>(task_id.size()) &&
           name.starts_with(task_id);
  }
  return size == static_cast<ssize_t>(task_id.size()) && name.starts_with(task_id);
}

// What a worker has put into a scratch directory may be thrown away, a working tree of git may not:
// the board has a note of it, or the tree's link to its repository is a file.
bool is_working_tree(const BoardPaths& board, const std::string& task_id) {
  std::error_code problem;
  return is_there(board.worktrees() / task_id) ||
         fs::is_regular_file(fs::symlink_status(board.workspace(task_id) / ".git", problem));
}

// Nothing is synced to disk: a scratch directory lost in a power failure is made again by the next
// attempt.
Result<std::string> make_scratch(const BoardPaths& board, const std::string& task_id) {
  if (!is_task_id(task_id)) {
    return fail(ErrorCode::internal, "not a task id: " + printable(task_id));
  }
  const fs::path dir = board.workspace(task_id);
  if (::mkdir(dir.c_str(), 0700) != 0) {
    if (errno != EEXIST || !fs::is_directory(fs::symlink_status(dir))) {
      return std::unexpected(system_error("make the workspace", dir, errno));
    }
    std::error_code problem;
    if (!fs::is_empty(dir, problem)) {
      return dir.string();  // of an earlier attempt: what it left is there for the next one
    }                       // an empty one is ours, whoever was killed before marking it
  }
  TRY(mark(dir, task_id));
  return dir.string();
}

}  // namespace

Result<std::string> prepare_workspace(const BoardPaths& board, const Task& task) {
  switch (task.workspace_kind) {
    case WorkspaceKind::scratch:
      return make_scratch(board, task.id);
    case WorkspaceKind::dir: {
      const fs::path path = task.workspace_path.value_or("");
      std::error_code ignored;
      if (path.is_absolute() && fs::is_directory(path, ignored)) {
        return path.string();
      }
      return fail(ErrorCode::invalid,
                  fmt::format("the workspace {} of {} is not a directory", printable(path.string()),
                              task.id),
                  "make the directory, then unblock or claim the task again");
    }
    case WorkspaceKind::worktree:
      break;
  }
  return fail(ErrorCode::internal,
              fmt::format("the worktree of {} is not made here (prepare_worktree)", task.id));
}

// The path is ours by construction; a link in its place, or a directory without our mark, is not.
bool is_our_scratch(const BoardPaths& board, const std::string& task_id) {
  if (!is_task_id(task_id)) {
    return false;
  }
  std::error_code problem;
  const fs::path dir = board.workspace(task_id);
  return fs::is_directory(fs::symlink_status(dir, problem)) && is_marked(dir, task_id) &&
         !is_working_tree(board, task_id);
}

Result<fs::path> set_aside(const BoardPaths& board, const std::string& task_id) {
  if (!is_our_scratch(board, task_id)) {
    return fail(ErrorCode::not_found, "no workspace of ours: " + printable(task_id));
  }
  const fs::path dir = board.workspace(task_id);
  for (int n = 1;; ++n) {
    fs::path aside = dir.parent_path() / fmt::format("{}{}-{}", k_aside, task_id, n);
    const auto renamed = rename_to_new(dir, aside);
    if (renamed) {
      return aside;
    }
    if (renamed.error().code != ErrorCode::conflict || n == k_most_aside) {
      return std::unexpected(renamed.error());
    }
  }
}

// The name is the mark: nobody else gives it, and what was in the directory may be gone.
std::vector<fs::path> set_aside_before(const BoardPaths& board) {
  std::vector<fs::path> found;
  std::error_code problem;
  for (fs::directory_iterator entry(board.workspaces(), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(k_aside) && fs::is_directory(entry->symlink_status(problem))) {
      found.push_back(entry->path());
    }
  }
  return found;
}

// Set aside first: killed in the middle we leave what `set_aside_before` finds, and no directory
// that has lost its mark.
bool remove_scratch(const BoardPaths& board, const std::string& task_id) {
  const auto aside = set_aside(board, task_id);
  if (!aside) {
    return false;
  }
  const auto removed = remove_tree(*aside);
  if (!removed && removed.error().code == ErrorCode::conflict) {
    (void)rename_to_new(*aside, board.workspace(task_id));  // what is mounted there is in use
  }
  return removed.has_value();
}

}  // namespace hermes::home
