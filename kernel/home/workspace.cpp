#include "kernel/home/workspace.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

// Only a directory that carries our mark is ever deleted: an extended attribute, which costs no
// file of its own, or where the filesystem has none (tmpfs of older kernels), a file.
constexpr const char* k_mark = "user.hermes.workspace";
constexpr const char* k_marker_file = ".hermes-workspace";

Result<void> mark(const fs::path& dir, const std::string& task_id) {
  if (::lsetxattr(dir.c_str(), k_mark, task_id.data(), task_id.size(), 0) == 0) {
    return {};
  }
  const Fd file(
      ::open((dir / k_marker_file).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    return std::unexpected(system_error("mark the workspace", dir, errno));
  }
  return {};
}

// `dir` is a directory itself, not a link to one: a link is never followed.
bool is_marked(const fs::path& dir) {
  std::error_code problem;
  return fs::is_directory(fs::symlink_status(dir, problem)) &&
         (::lgetxattr(dir.c_str(), k_mark, nullptr, 0) > 0 ||
          fs::is_regular_file(fs::symlink_status(dir / k_marker_file, problem)));
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

// /proc/self/mountinfo writes blanks and the like as \\040 (proc(5)).
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(&text[i + 1], &text[i] + 4, code, 8).ptr == &text[i] + 4) {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// True when something else is mounted at `dir` or below it, or when that cannot be known: to remove
// the directory would be to empty what is mounted.
bool has_mount(const fs::path& dir) {
  std::error_code problem;
  const std::string real = fs::canonical(dir, problem).string();
  std::ifstream mounts("/proc/self/mountinfo");
  bool found = problem || !mounts;
  for (std::string line; std::getline(mounts, line);) {
    const auto words = split_list(line, ' ');
    const std::string point = words.size() > 4 ? unescaped(words[4]) : "";
    found = found || point == real || point.starts_with(real + "/");
  }
  return found;
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
  return fail(ErrorCode::invalid,
              fmt::format("worktree workspaces cannot be made yet, and {} asks for one", task.id),
              "make the working tree yourself and create the task with --workspace dir:PATH");
}

bool remove_scratch(const BoardPaths& board, const std::string& task_id) {
  if (!is_task_id(task_id)) {
    return false;
  }
  const fs::path dir = board.workspace(task_id);
  std::error_code problem;
  // The path is ours by construction; a link in its place, or a directory without our mark, is not.
  if (!is_marked(dir) || has_mount(dir)) {
    return false;
  }
  fs::remove_all(dir, problem);
  return !problem;
}

}  // namespace hermes::home
