#include "kernel/home/log_text.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_most_bytes =
    64 * 1024 * 1024;  // of one generation: far above what a shortened log can be
constexpr std::size_t k_line_window = 8 * 1024;
constexpr std::size_t k_line_bytes = 400;
constexpr int k_tries = 5;

Fd open_log(const fs::path& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

off_t length_of(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) ? facts.st_size : 0;
}

// Reads [from, to), or what there is of it. Error: errno.
std::expected<void, int> read_range(int fd, off_t from, off_t to, std::string& out) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the read fills it
  std::array<char, 64 * 1024> part;
  while (from < to) {
    const auto want = std::min<std::size_t>(part.size(), static_cast<std::size_t>(to - from));
    const ssize_t got = ::pread(fd, part.data(), want, from);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::unexpected(errno);
    }
    if (got == 0) {
      break;
    }
    out.append(part.data(), static_cast<std::size_t>(got));
    from += got;
  }
  return {};
}

// The last `most` bytes of data, without holes: the head of a shortened log is one on some
// filesystems.
std::expected<std::string, int> read_data(int fd, std::size_t most) {
  const off_t end = length_of(fd);
  std::string text;
  off_t at = std::max<off_t>(0, end - static_cast<off_t>(most));
  while (at < end) {
    const off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
      break;
    }
    const off_t from = data < 0 ? at : data;  // not supported: one stretch of data
    const off_t hole = data < 0 ? -1 : ::lseek(fd, from, SEEK_HOLE);
    const off_t to = hole < 0 ? end : std::min(hole, end);
    if (auto read = read_range(fd, from, to, text); !read) {
      return std::unexpected(read.error());
    }
    at = std::max(to, from + 1);
  }
  return text;
}

// Tells whether a log was shortened between two looks: then a file or its length is another.
struct Mark {
  ino_t inode = 0;
  off_t size = 0;
  timespec changed{};

  static Mark of(const fs::path& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? Mark{facts.st_ino, facts.st_size, facts.st_mtim}
                                             : Mark{};
  }
  bool operator==(const Mark& other) const {
    return inode == other.inode && size == other.size && changed.tv_sec == other.changed.tv_sec &&
           changed.tv_nsec == other.changed.tv_nsec;
  }
};

struct Joined {
  std::string text;
  bool found = false;
};

// Older generation and log are one contiguous text, as long as the log is not shortened between the
// two reads.
Result<Joined> read_both(const fs::path& older, const fs::path& current, std::size_t most) {
  for (int tries = 1;; ++tries) {
    const Mark before = Mark::of(older);
    Joined joined;
    for (const fs::path& path : {older, current}) {
      const Fd file = open_log(path);
      if (!file && errno != ENOENT) {
        return std::unexpected(system_error("open", path, errno));
      }
      if (file) {
        joined.found = true;
        auto text = read_data(file.get(), most);
        if (!text) {
          return std::unexpected(system_error("read", path, text.error()));
        }
        joined.text += *text;
      }
    }
    if (tries == k_tries || before == Mark::of(older)) {
      return joined;
    }
  }
}

// Without the rest of a character that was cut in two.
std::string_view skip_cut_character(std::string_view text) {
  const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) >> 6) == 2; };
  std::size_t skipped = 0;
  while (skipped < std::min<std::size_t>(text.size(), 3) && is_continuation(text[skipped])) {
    ++skipped;
  }
  return text.substr(skipped);
}

// The last `most` bytes; a cut first line is dropped unless there is no other.
std::string tail_of(std::string text, std::size_t most) {
  if (text.size() <= most) {
    return text;
  }
  const std::size_t cut = text.size() - most;
  const bool whole_line = text[cut - 1] == '\n';
  text.erase(0, cut);
  if (whole_line) {
    return text;
  }
  if (const auto end = text.find('\n'); end != std::string::npos && end + 1 < text.size()) {
    return text.substr(end + 1);
  }
  return std::string(skip_cut_character(text));
}

// What a terminal would show of a line: what stands after the last carriage return of a progress
// display.
std::string_view shown(std::string_view line) {
  line = trim(line);
  const auto overwritten = line.rfind('\r');
  return overwritten == std::string_view::npos ? line : trim(line.substr(overwritten + 1));
}

std::string last_line_in(std::string_view text) {
  while (!text.empty()) {
    const auto start = text.rfind('\n');
    std::string_view line = start == std::string_view::npos ? text : text.substr(start + 1);
    line.remove_prefix(
        std::min(line.find_first_not_of('\0'), line.size()));  // a hole reads as NUL bytes
    // The advice below an error of hermes itself is not what went wrong.
    if (line = shown(line); !line.empty() && !line.starts_with("→ ")) {
      return std::string(clip(printable(line), k_line_bytes));
    }
    text = start == std::string_view::npos ? std::string_view{} : text.substr(0, start);
  }
  return {};
}

// No look at the hole and no second try here: this stands between a worker's end and its verdict.
std::string last_line_of(const fs::path& path) {
  const Fd file = open_log(path);
  if (!file) {
    return {};
  }
  const off_t end = length_of(file.get());
  const off_t from = std::max<off_t>(0, end - static_cast<off_t>(k_line_window));
  std::string text;
  if (!read_range(file.get(), from, end, text)) {
    return {};
  }
  return last_line_in(from > 0 ? skip_cut_character(text) : std::string_view(text));
}

}  // namespace

Result<std::string> read_log(const BoardPaths& board, const std::string& task_id,
                             std::int64_t attempt, std::size_t most) {
  if (!is_task_id(task_id) || attempt < 1) {
    return fail(ErrorCode::not_found, fmt::format("no attempt {} of a task '{}'", attempt,
                                                  printable(clip(task_id, 100))));
  }
  const std::size_t each =
      most == 0 ? k_most_bytes
                : std::min(most, k_most_bytes - 1) + 1;  // one more shows a line's start
  TRY_ASSIGN(Joined joined,
             read_both(board.older_log(task_id, attempt), board.log(task_id, attempt), each));
  if (!joined.found) {
    return fail(ErrorCode::not_found, fmt::format("attempt {} of {} has no log", attempt, task_id),
                "a log exists once the attempt's worker was started");
  }
  return tail_of(std::move(joined.text), most == 0 ? 2 * k_most_bytes : most);
}

std::string last_log_line(const BoardPaths& board, const std::string& task_id,
                          std::int64_t attempt) {
  if (!is_task_id(task_id) || attempt < 1) {
    return {};
  }
  std::string line = last_line_of(board.log(task_id, attempt));
  return line.empty() ? last_line_of(board.older_log(task_id, attempt)) : line;
}

bool is_log_name(std::string_view name) {
  constexpr std::size_t k_id = 10;
  if (name.size() < k_id + 2 || !is_task_id(name.substr(0, k_id)) || name[k_id] != '.') {
    return false;
  }
  name.remove_prefix(k_id + 1);
  std::int64_t attempt = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), attempt);
  const std::string_view rest(end, static_cast<std::size_t>(name.data() + name.size() - end));
  return problem == std::errc{} && attempt > 0 && name.front() != '0' &&
         (rest == ".log" || rest == ".log.1");
}

namespace {

// Of the name of what is being written in a log's place, by a dispatcher (temporary_beside) or a
// supervisor ("….tmp", log_cap.cpp): the log's; else the name as it is.
std::string_view intended_name(std::string_view name) {
  const std::string_view intended = name_beside_temporary(name);
  if (intended.size() == name.size() && name.ends_with(k_temporary)) {
    name.remove_suffix(k_temporary.size());
    return name;
  }
  return intended;
}

}  // namespace

std::vector<LogFile> log_files(const BoardPaths& board) {
  std::vector<LogFile> logs;
  std::error_code problem;
  for (fs::directory_iterator entry(board.logs(), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    const std::string_view log = intended_name(name);
    struct stat facts {};
    if (is_log_name(log) && ::lstat(entry->path().c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) {
      logs.push_back({entry->path(), name.substr(0, name.find('.')),
                      Instant{facts.st_mtim.tv_sec * 1000}, log.size() != name.size()});
    }
  }
  return logs;
}

}  // namespace hermes::home
