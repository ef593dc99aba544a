#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/home/archive.hpp"

// Boards as single files.
//
// A backup is the database alone, a plain SQLite file. An export is a backup with two tables more
// and an application_id of its own ("HRMX"): bundle_files(id, kind, name, size), kind one of slug,
// settings, attachment, log; and bundle_parts(file_id, part, data), the contents in pieces of at
// most 1 MiB. Nothing in it is a path: attachments are named by their task and a name that is
// checked, logs by task and attempt. Contents are not compressed, so a file cannot unpack to more
// than itself.
namespace hermes::home {

// Copies the board to `target`: written beside it, checked, synced and renamed. Error: conflict
// when something is there and `replace` is not set, when it is not a regular file, or when a WAL or
// a journal of its name lies there; invalid inside boards/; damaged.
Result<void> back_up(const Home& home, db::Database& board, const fs::path& target, bool replace);

struct Bundled {
  std::int64_t attachments = 0;
  std::int64_t logs = 0;
  std::int64_t bytes = 0;  // of the file
  // Left out, as they are gone, cannot be read or are no regular files: attachments
  // "<task>/<name>", logs "<name>".
  std::vector<std::string> missing;
};
Result<Bundled> export_board(const Home& home, const BoardPaths& paths, db::Database& board,
                             const fs::path& target, bool logs, bool replace);

struct Imported {
  BoardPaths board;
  std::int64_t attachments = 0;
  std::int64_t logs = 0;
};
// Makes a new board of an export, or of a backup. `slug` defaults to the one that was exported. It
// appears whole, after `prepare`, or not at all. Error: conflict when there is such a board;
// damaged, schema, invalid.
Result<Imported> import_board(const Home& home, const fs::path& file,
                              const std::optional<std::string>& slug, Instant now,
                              const Prepare& prepare);

}  // namespace hermes::home
