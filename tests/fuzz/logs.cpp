// Files that others write and we read: the logs of workers, the notes and marks of working trees,
// the lock of the dispatcher.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "fuzz/harness.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/dispatcher_lock.hpp"
#include "kernel/home/log_text.hpp"
#include "kernel/home/worktree_note.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using fuzz::require;

namespace {

namespace fs = std::filesystem;

constexpr const char* k_task = "t_0123abcd";

void put(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void check_log(const home::BoardPaths& board, std::string_view text, std::size_t most) {
  const std::size_t half = std::min(most, text.size());
  put(board.older_log(k_task, 1), text.substr(0, half));
  put(board.log(k_task, 1), text.substr(half));
  require(home::read_log(board, k_task, 1, 0) == std::string(text), "a log is read whole", text);
  const auto tail = home::read_log(board, k_task, 1, most);
  require(tail && (most == 0 || tail->size() <= most) && text.ends_with(*tail),
          "the end of a log is its end", text);
  const std::string line = home::last_log_line(board, k_task, 1);
  require(line.size() <= 400 && printable(line) == line, "the last line can be shown", text);
  require(!home::is_log_name(text) || text.find('/') == std::string_view::npos,
          "the name of a log is no path", text);
}

void check_notes(const home::BoardPaths& board, std::string_view text) {
  put(board.worktrees() / k_task, text);
  if (const auto note = home::read_note(board, k_task)) {
    require(home::write_note(board, k_task, *note).has_value(), "a note can be written");
    const auto again = home::read_note(board, k_task);
    require(again && again->ready == note->ready && again->requested == note->requested &&
                again->path == note->path && again->common == note->common &&
                again->branch == note->branch,
            "a note that is written is read as the same", text);
  }
  put(board.dir / "hermes-task", text);
  home::mark_of(board.dir, board, k_task);
}

void check_lock(const home::Home& home, std::string_view text) {
  put(home.dispatcher_lock(), text);
  require(!home::dispatcher_state(home).alive, "nobody serves who holds no lock", text);
  const auto lock = home::take_dispatcher_lock(home, home::LockPurpose::serve, Millis{0});
  require(lock.has_value(), "what stands in the lock keeps nobody out", text);
  require(home::dispatcher_state(home).alive, "who holds the lock serves", text);
  put(home.dispatcher_lock(), text);  // damaged under its holder
  home::dispatcher_state(home);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempDir dir;
  static const home::BoardPaths board{"default", dir.path()};
  static const home::Home home{dir.path()};
  static const bool made = fs::create_directory(board.logs()) &&
                           fs::create_directory(board.worktrees()) &&
                           fs::create_directory(home.run());
  require(made && size < 60'000, "there is a ground");
  if (size == 0) {
    return 0;
  }
  const std::string_view text = fuzz::text_of(data, size).substr(1);
  check_log(board, text, data[0]);
  check_notes(board, text);
  check_lock(home, text);
  return 0;
}
