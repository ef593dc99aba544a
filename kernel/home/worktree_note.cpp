#include "kernel/home/worktree_note.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/git.hpp"
#include "kernel/home/worktree.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_note_bytes = 64 * 1024;
constexpr std::size_t k_mark_bytes = 1024;
constexpr std::string_view k_making = "making";
constexpr std::string_view k_ready = "ready";
constexpr const char* k_mark_file = "hermes-task";

// Of texts that end in NUL each: the only byte that no path has.
std::vector<std::string> fields_of(const std::string& text) {
  std::vector<std::string> fields;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find('\0', from), text.size());
    fields.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return fields;
}

// "worktree /a" and "locked for a reason": the value, when the word is this one.
std::optional<std::string> value_of(const std::string& field, std::string_view word) {
  if (field == word) {
    return "";
  }
  return field.starts_with(std::string(word) + " ") ? std::optional(field.substr(word.size() + 1))
                                                    : std::nullopt;
}

fs::path identity_file(const BoardPaths& board) { return board.worktrees() / "identity"; }

// "" when there is none.
std::string identity_of(const BoardPaths& board) {
  return read_file(identity_file(board), k_mark_bytes).value_or("");
}

}  // namespace

std::optional<TreeNote> read_note(const BoardPaths& board, const std::string& task_id) {
  if (!is_task_id(task_id)) {
    return std::nullopt;
  }
  const auto text = read_file(board.worktrees() / task_id, k_note_bytes);
  const auto fields = fields_of(text.value_or(""));
  if (fields.size() != 5 || (fields[0] != k_making && fields[0] != k_ready)) {
    return std::nullopt;
  }
  return TreeNote{fields[0] == k_ready, fields[1], fields[2], fields[3], fields[4]};
}

Result<void> write_note(const BoardPaths& board, const std::string& task_id, const TreeNote& note) {
  if (!is_task_id(task_id)) {
    return fail(ErrorCode::internal, "not a task id");
  }
  TRY(make_directory(board.worktrees()));
  std::string text;
  for (const std::string& field : {std::string(note.ready ? k_ready : k_making), note.requested,
                                   note.path, note.common, note.branch}) {
    text += field + '\0';
  }
  return write_file_atomically(board.worktrees() / task_id, text);
}

void remove_note(const BoardPaths& board, const std::string& task_id) {
  ::unlink((board.worktrees() / task_id).c_str());
}

std::vector<std::string> tasks_with_trees(const BoardPaths& board) {
  std::vector<std::string> tasks;
  std::error_code problem;
  fs::directory_iterator entry(board.worktrees(), problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (const std::string name = entry->path().filename().string(); is_task_id(name)) {
      tasks.push_back(name);
    }
  }
  return tasks;
}

std::optional<std::string> tree_of(const BoardPaths& board, const std::string& task_id) {
  const auto note = read_note(board, task_id);
  return note ? std::optional(note->path) : std::nullopt;
}

Result<std::vector<ListedTree>> list_trees(Git& git, const fs::path& repository) {
  TRY_ASSIGN(const std::string text,
             git.run(repository, {"worktree", "list", "--porcelain", "-z"}));
  std::vector<ListedTree> trees;
  for (const std::string& field : fields_of(text)) {
    if (const auto path = value_of(field, "worktree")) {
      trees.emplace_back().path = *path;
    } else if (trees.empty()) {
      continue;
    } else if (const auto branch = value_of(field, "branch")) {
      constexpr std::string_view heads = "refs/heads/";
      trees.back().branch = branch->starts_with(heads) ? branch->substr(heads.size()) : *branch;
    } else if (const auto reason = value_of(field, "locked")) {
      trees.back().locked = true;
      trees.back().lock_reason = *reason;
    } else if (field == "bare") {
      trees.back().bare = true;
    }
  }
  return trees;
}

const ListedTree* find_tree(const std::vector<ListedTree>& trees, const std::string& path) {
  for (std::size_t i = 1; i < trees.size(); ++i) {  // the first is the main one
    if (trees[i].path == path) {
      return &trees[i];
    }
  }
  return nullptr;
}

Result<fs::path> admin_directory(Git& git, const fs::path& tree) {
  TRY_ASSIGN(const std::string path, git.value(tree, {"rev-parse", "--absolute-git-dir"}));
  return fs::path(path);
}

Result<void> mark_tree(const fs::path& admin, const BoardPaths& board, const std::string& task_id) {
  TRY(make_directory(board.worktrees()));
  SystemRandom random;
  TRY(create_file(identity_file(board), new_run_token(random)));  // the first one stays
  const std::string identity = identity_of(board);
  if (identity.empty()) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot read {}, by which the working trees of the board are known",
                            printable(identity_file(board).string())));
  }
  return write_file_atomically(admin / k_mark_file, task_id + " " + identity + "\n");
}

Marked mark_of(const fs::path& admin, const BoardPaths& board, const std::string& task_id) {
  const auto text = read_file(admin / k_mark_file, k_mark_bytes);
  if (!text) {
    return Marked::not_at_all;
  }
  const std::vector<std::string> words = split_list(*text, ' ');
  if (words.empty() || words[0] != task_id) {
    return Marked::for_another_task;
  }
  // Marks of earlier versions name no board: then it is the one that has a note of the tree.
  const bool ours =
      words.size() == 1 ? read_note(board, task_id).has_value() : words[1] == identity_of(board);
  return ours ? Marked::for_us : Marked::for_another_board;
}

}  // namespace hermes::home
