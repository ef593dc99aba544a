#include "kernel/home/task_files.hpp"

#include <algorithm>
#include <system_error>

#include "kernel/base/ids.hpp"
#include "kernel/home/attachments.hpp"
#include "kernel/home/log_text.hpp"
#include "kernel/home/workspace.hpp"

namespace hermes::home {

namespace {

bool remove_logs(const BoardPaths& board, const std::set<std::string>& task_ids) {
  bool whole = true;
  for (const LogFile& log : log_files(board)) {  // one walk for all of them
    if (task_ids.contains(log.task_id)) {
      std::error_code failed;
      fs::remove(log.path, failed);
      whole = whole && !failed;
    }
  }
  return whole;
}

// A link in the place of the directory is somebody else's: it is not followed, and stays.
bool remove_attachments_of(const BoardPaths& board, const std::string& task_id) {
  const fs::path dir = board.attachments_of(task_id);
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(dir, problem))) {
    return true;
  }
  remove_attachments(board, task_id);
  return !fs::exists(dir, problem);
}

}  // namespace

bool remove_task_files(const BoardPaths& board, const std::set<std::string>& task_ids) {
  if (task_ids.empty() || !std::ranges::all_of(task_ids, is_task_id)) {
    return task_ids.empty();
  }
  bool whole = remove_logs(board, task_ids);
  for (const std::string& id : task_ids) {
    remove_scratch(board, id);  // false also when there is none
    whole = remove_attachments_of(board, id) && whole;
  }
  return whole;
}

std::vector<fs::path> run_files(const Home& home, const std::string& slug) {
  std::vector<fs::path> found;
  std::error_code problem;
  if (fs::is_symlink(home.records(slug), problem)) {
    return found;
  }
  constexpr std::size_t k_longest_number = 18;
  for (fs::directory_iterator entry(home.records(slug), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string number = entry->path().stem().string();
    const std::string ending = entry->path().extension().string();
    if (!number.empty() && number.size() <= k_longest_number &&
        number.find_first_not_of("0123456789") == std::string::npos &&
        (ending.empty() || ending == ".context")) {
      found.push_back(entry->path());
    }
  }
  return found;
}

}  // namespace hermes::home
