#include "kernel/home/archive.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/db/gate.hpp"
#include "kernel/home/settings.hpp"

namespace hermes::home {

namespace {

constexpr int k_most_tries = 1000;
constexpr std::uint64_t k_any_size = std::uint64_t{1} << 62;
constexpr Millis k_leftover_age = std::chrono::hours{24};
constexpr std::size_t k_current_bytes = 4096;

bool is_there(const fs::path& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

// A board that has lost its gate has nobody who could wait for it.
Result<std::optional<db::WriteGate>> gate_of(const BoardPaths& board, Millis wait) {
  if (!is_there(board.lock())) {
    return std::nullopt;
  }
  TRY_ASSIGN(db::WriteGate gate, db::WriteGate::enter(board.lock(), wait));
  return std::optional<db::WriteGate>(std::move(gate));
}

Result<void> refuse_link(const BoardPaths& board) {
  std::error_code ignored;
  if (!fs::is_symlink(board.dir, ignored)) {
    return {};
  }
  return fail(ErrorCode::conflict,
              fmt::format("{} is a link to where the board is", printable(board.dir.string())),
              "move the directory itself, or remove the link, while nothing uses the board");
}

// Moves the board to the first free of name, name-2, name-3 …
Result<fs::path> take_away(const BoardPaths& board, const fs::path& name, Millis gate_wait,
                           const Allowed& allowed) {
  TRY_ASSIGN(const auto gate, gate_of(board, gate_wait));
  TRY(allowed());
  for (int n = 1; n <= k_most_tries; ++n) {
    fs::path target = n == 1 ? name : fs::path(fmt::format("{}-{}", name.string(), n));
    auto moved = rename_to_new(board.dir, target);
    if (moved) {
      TRY(sync_directory(target.parent_path()));
      TRY(sync_directory(board.dir.parent_path()));
      return target;
    }
    if (moved.error().code != ErrorCode::conflict) {
      return std::unexpected(moved.error());
    }
  }
  return fail(ErrorCode::unavailable,
              fmt::format("no free name beside {}", printable(name.string())));
}

Result<void> forget_current(const Home& home, const std::string& slug) {
  const auto current = read_file(home.current(), k_current_bytes);
  if (current && trim(*current) == slug && ::unlink(home.current().c_str()) != 0 &&
      errno != ENOENT) {
    return std::unexpected(system_error("remove", home.current(), errno));
  }
  return {};
}

// A later board of the name counts its runs from 1 again: no record of another run may stand there.
// The directory stays; a dispatcher may have made it for the board of today.
void forget_records(const Home& home, const std::string& slug) {
  std::error_code problem;
  for (fs::directory_iterator entry(home.records(slug), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    ::unlink(entry->path().c_str());
  }
}

Result<void> refuse_default(const BoardPaths& board) {
  if (board.slug != k_default_board) {
    return {};
  }
  return fail(ErrorCode::conflict, "the default board cannot be removed",
              "it is the one that is meant when none is named");
}

// Blobs are never changed, so both boards can have the same files.
Result<void> link_attachments(const BoardPaths& from, const BoardPaths& to) {
  TRY(make_directory(to.attachments()));
  std::error_code problem;
  for (fs::directory_iterator task(from.attachments(), problem), end; !problem && task != end;
       task.increment(problem)) {
    const fs::path target = to.attachments() / task->path().filename();
    if (!fs::is_directory(task->symlink_status()) || ::mkdir(target.c_str(), 0700) != 0) {
      continue;
    }
    std::error_code inner;
    for (fs::directory_iterator file(task->path(), inner); !inner && file != end;
         file.increment(inner)) {
      const fs::path name = target / file->path().filename();
      if (fs::is_regular_file(file->symlink_status()) &&
          ::link(file->path().c_str(), name.c_str()) != 0) {
        return std::unexpected(system_error("link", name, errno));
      }
    }
    TRY(sync_directory(target));
  }
  return sync_directory(to.attachments());
}

// Removed with all that is in it, unless it has become a board.
class Draft {
 public:
  explicit Draft(fs::path path) : path_(std::move(path)) {}
  ~Draft() {
    if (!path_.empty()) {
      (void)remove_tree(path_);
    }
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

Result<void> refuse_bundle(const BoardPaths& draft, const fs::path& file) {
  try {
    db::Connection connection(draft.database(), db::OpenMode::existing);
    if (connection.pragma("application_id") != k_bundle_id) {
      return {};
    }
  } catch (const db::DbError& error) {
    return std::unexpected(about_file(file, db::to_error(error, draft.database())));
  }
  return fail(ErrorCode::invalid,
              fmt::format("{} is an exported board, not a backup", printable(file.string())),
              "`hermes kanban boards import FILE BOARD` makes a new board of it");
}

Result<void> fill(const Home& home, const BoardPaths& present, const BoardPaths& draft,
                  const fs::path& file, Instant now, const Prepare& prepare) {
  TRY(bring_in(home, file, draft.database()));
  TRY(refuse_bundle(draft, file));
  {
    auto database = db::Database::adopt(files_of(draft), now);
    if (!database) {
      return std::unexpected(about_file(file, database.error()));
    }
    TRY(prepare(*database));
    TRY(database->truncate_wal(std::chrono::seconds{5}));
  }
  const auto settings = read_file(present.settings(), k_settings_bytes);
  if (settings) {
    TRY(write_file_atomically(draft.settings(), *settings));
  } else if (settings.error().code != ErrorCode::not_found) {
    return std::unexpected(settings.error());
  }
  TRY(make_directory(draft.logs()));
  TRY(make_directory(draft.workspaces()));
  TRY(link_attachments(present, draft));
  return sync_directory(draft.dir);
}

}  // namespace

std::vector<std::string> list_archived(const Home& home) {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator entry(home.archived(), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (is_there(archived_board(home, name).database())) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

BoardPaths archived_board(const Home& home, const std::string& name) {
  return {name, home.archived() / name};
}

Result<fs::path> make_archive_directory(const Home& home, const std::string& stem, Instant now) {
  TRY(make_directory(home.archived()));
  const fs::path name = home.archived() / fmt::format("{}-{}", stem, now.seconds());
  for (int n = 1; n <= k_most_tries; ++n) {
    fs::path path = n == 1 ? name : fs::path(fmt::format("{}-{}", name.string(), n));
    if (::mkdir(path.c_str(), 0700) == 0) {
      TRY(sync_directory(home.archived()));
      return path;
    }
    if (errno != EEXIST) {
      return std::unexpected(system_error("create directory", path, errno));
    }
  }
  return fail(ErrorCode::unavailable,
              fmt::format("no free name beside {}", printable(name.string())));
}

Result<fs::path> archive_board(const Home& home, const BoardPaths& board, Instant now,
                               Millis gate_wait, const Allowed& allowed) {
  TRY(refuse_default(board));
  TRY(refuse_link(board));
  TRY(make_directory(home.archived()));
  const fs::path name = home.archived() / fmt::format("{}-{}", board.slug, now.seconds());
  TRY_ASSIGN(fs::path kept, take_away(board, name, gate_wait, allowed));
  forget_records(home, board.slug);
  TRY(forget_current(home, board.slug));
  return kept;
}

Result<TreeSize> destroy_board(const Home& home, const BoardPaths& board, Instant now,
                               Millis gate_wait, const Allowed& allowed) {
  TRY(refuse_default(board));
  TRY(refuse_link(board));
  const fs::path name = home.boards() / fmt::format(".deleted-{}-{}", board.slug, now.seconds());
  TRY_ASSIGN(const fs::path doomed, take_away(board, name, gate_wait, allowed));
  forget_records(home, board.slug);
  TRY(forget_current(home, board.slug));
  return remove_tree(doomed);
}

Error about_file(const fs::path& file, Error error) {
  if (error.code == ErrorCode::damaged || error.code == ErrorCode::schema ||
      error.code == ErrorCode::invalid) {
    error.message = fmt::format("{} cannot be used: {}", printable(file.string()), error.message);
    error.hint = "nothing was changed";
  }
  return error;
}

Result<void> bring_in(const Home& home, const fs::path& file, const fs::path& target) {
  std::error_code problem;
  const fs::path real = fs::canonical(file, problem);
  if (!problem) {
    const fs::path boards = fs::canonical(home.boards(), problem);
    const fs::path inside = real.lexically_relative(boards);
    if (!problem && !inside.empty() && *inside.begin() != ".." && *inside.begin() != "_archived") {
      return fail(ErrorCode::invalid,
                  fmt::format("{} belongs to a board that is in use", printable(file.string())),
                  "`hermes kanban backup FILE` makes a file that can be used");
    }
  }
  TRY_ASSIGN(const Fd from, open_regular(file));
  TRY_ASSIGN(NewFile to, NewFile::create(target));
  TRY(copy_bytes(from.get(), to, k_any_size));
  TRY(to.sync());
  to.keep();
  const fs::path wal = file.string() + "-wal";
  if (!is_there(wal)) {
    return {};
  }
  TRY_ASSIGN(const Fd from_wal, open_regular(wal));
  TRY_ASSIGN(NewFile to_wal, NewFile::create(target.string() + "-wal"));
  TRY(copy_bytes(from_wal.get(), to_wal, k_any_size));
  TRY(to_wal.sync());
  to_wal.keep();
  return {};
}

Result<fs::path> restore_board(const Home& home, const BoardPaths& board, const fs::path& file,
                               Instant now, Millis gate_wait, const Allowed& allowed,
                               const Prepare& prepare) {
  TRY(refuse_link(board));
  TRY_ASSIGN(fs::path place, make_archive_directory(home, board.slug + "-before-restore", now));
  Draft unless_done(place);
  const BoardPaths draft{board.slug, place};
  TRY(fill(home, board, draft, file, now, prepare));
  {
    TRY_ASSIGN(const auto gate, gate_of(board, gate_wait));
    TRY(allowed());
    TRY(exchange(board.dir, place));  // from here on `place` is the board of before
    unless_done.keep();
  }
  TRY(sync_directory(home.archived()));
  TRY(sync_directory(home.boards()));
  forget_records(home, board.slug);
  // Logs and workspaces belong to tasks, not to a time. The exchange has left empty ones here; when
  // this is not reached, the old ones are found beside the old board.
  for (const auto part : {&BoardPaths::logs, &BoardPaths::workspaces}) {
    if (is_there((draft.*part)())) {
      TRY(exchange((board.*part)(), (draft.*part)()));
    }
  }
  return place;
}

std::vector<fs::path> leftover_directories(const Home& home, Instant now) {
  std::vector<fs::path> found;
  std::error_code problem;
  for (fs::directory_iterator entry(home.boards(), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    struct stat facts {};
    const bool ours = name.starts_with(".new-") || name.starts_with(".deleted-");
    if (ours && ::lstat(entry->path().c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
        now - Instant{facts.st_mtim.tv_sec * 1000} >= k_leftover_age) {
      found.push_back(entry->path());
    }
  }
  return found;
}

}  // namespace hermes::home
