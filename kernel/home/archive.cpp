#include "kernel/home/archive.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/db/foreign.hpp"
#include "kernel/db/gate.hpp"
#include "kernel/home/attachments.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/home/task_files.hpp"

namespace hermes::home {

namespace {

constexpr int k_most_tries = 1000;
constexpr Millis k_leftover_age = std::chrono::hours{24};
constexpr std::size_t k_current_bytes = 4096;

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

// What `make` makes at the first of name, name-2, name-3 … that is free. `make` answers conflict
// for one that is not.
Result<fs::path> at_free_name(const fs::path& name,
                              const std::function<Result<void>(const fs::path&)>& make) {
  for (int n = 1; n <= k_most_tries; ++n) {
    fs::path target = n == 1 ? name : fs::path(fmt::format("{}-{}", name.string(), n));
    const auto made = make(target);
    if (made) {
      TRY(sync_directory(target.parent_path()));
      return target;
    }
    if (made.error().code != ErrorCode::conflict) {
      return std::unexpected(made.error());
    }
  }
  return fail(ErrorCode::unavailable,
              fmt::format("no free name beside {}", printable(name.string())));
}

fs::path archive_name(const Home& home, const std::string& stem, Instant now) {
  return home.archived() / fmt::format("{}-{}", stem, now.seconds());
}

// Moves the board to the first free of name, name-2, name-3 …
Result<fs::path> take_away(const BoardPaths& board, const fs::path& name, Millis gate_wait,
                           const Allowed& allowed) {
  TRY_ASSIGN(const auto gate, gate_of(board, gate_wait));
  TRY(allowed());
  TRY_ASSIGN(fs::path target, at_free_name(name, [&](const fs::path& free) {
               return rename_to_new(board.dir, free);
             }));
  TRY(sync_directory(board.dir.parent_path()));
  return target;
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
  for (const fs::path& file : run_files(home, slug)) {
    ::unlink(file.c_str());
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

// What a board says of files becomes part of paths. Its ids are checked by its schema.
Result<void> check_names(db::Database& board, const fs::path& file) {
  return board.read([&](db::Reader& tx) -> Result<void> {
    auto row = tx.query("SELECT task_id, stored_name FROM attachments ORDER BY id");
    while (row.next()) {
      if (const std::string name = row.text(1); !is_attachment_name(name)) {
        return fail(ErrorCode::damaged,
                    fmt::format("{} cannot be used: '{}' cannot be the file of an attachment of {}",
                                printable(file.string()), printable(clip(name, 200)), row.text(0)),
                    "nothing was changed");
      }
    }
    return {};
  });
}

Result<void> fill(const Home& home, const BoardPaths& present, const BoardPaths& draft,
                  const fs::path& file, Instant now, const Prepare& prepare) {
  TRY(bring_in(home, file, draft.database()));
  TRY(refuse_bundle(draft, file));
  TRY(adopt_draft(draft, file, now, prepare));
  const auto settings = read_file(present.settings(), k_settings_bytes);
  if (settings) {
    TRY(write_file_atomically(draft.settings(), *settings));
  } else if (settings.error().code != ErrorCode::not_found) {
    return std::unexpected(settings.error());
  }
  TRY(make_directory(draft.logs()));
  TRY(make_directory(draft.workspaces()));
  TRY(make_directory(draft.worktrees()));
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
  return at_free_name(archive_name(home, stem, now), [](const fs::path& path) -> Result<void> {
    if (::mkdir(path.c_str(), 0700) == 0) {
      return {};
    }
    return errno == EEXIST ? fail(ErrorCode::conflict, "")
                           : std::unexpected(system_error("create directory", path, errno));
  });
}

Result<fs::path> archive_board(const Home& home, const BoardPaths& board, Instant now,
                               Millis gate_wait, const Allowed& allowed) {
  TRY(refuse_default(board));
  TRY(refuse_link(board));
  TRY(make_directory(home.archived()));
  TRY_ASSIGN(fs::path kept,
             take_away(board, archive_name(home, board.slug, now), gate_wait, allowed));
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
  auto copied = db::copy_database(file, target);
  if (!copied && copied.error().code == ErrorCode::damaged) {
    return std::unexpected(about_file(file, copied.error()));
  }
  return copied;
}

Result<void> adopt_draft(const BoardPaths& draft, const fs::path& file, Instant now,
                         const Prepare& prepare) {
  auto database = db::Database::adopt(files_of(draft), now);
  if (!database) {
    return std::unexpected(about_file(file, database.error()));
  }
  TRY(check_names(*database, file));
  TRY(prepare(*database));
  return database->truncate_wal(std::chrono::seconds{5});
}

Result<fs::path> restore_board(const Home& home, const BoardPaths& board, const fs::path& file,
                               Instant now, Millis gate_wait, const Allowed& allowed,
                               const Prepare& prepare) {
  TRY(refuse_link(board));
  TRY(make_directory(home.archived()));
  TRY_ASSIGN(const fs::path made, make_draft_directory(home, board.slug));
  DraftDirectory filled(made);
  TRY(fill(home, board, {board.slug, made}, file, now, prepare));
  fs::path place;
  {
    TRY_ASSIGN(const auto gate, gate_of(board, gate_wait));
    TRY(allowed());
    // First to where the board of before is to be kept: what lies under the name of a draft is
    // removed one day.
    TRY_ASSIGN(place,
               at_free_name(archive_name(home, board.slug + "-before-restore", now),
                            [&](const fs::path& free) { return rename_to_new(made, free); }));
    filled.keep();
    DraftDirectory unless_done(place);
    TRY(exchange(board.dir, place));  // from here on `place` is the board of before
    unless_done.keep();
  }
  const BoardPaths before{board.slug, place};
  TRY(sync_directory(home.archived()));
  TRY(sync_directory(home.boards()));
  forget_records(home, board.slug);
  // Logs, workspaces and the notes of working trees belong to tasks, not to a time. The exchange
  // has left empty ones here; when this is not reached, the old ones are found beside the old
  // board.
  for (const auto part : {&BoardPaths::logs, &BoardPaths::workspaces, &BoardPaths::worktrees}) {
    if (is_there((before.*part)())) {
      TRY(exchange((board.*part)(), (before.*part)()));
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
