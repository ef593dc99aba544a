#include "kernel/home/bundle.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/attachments.hpp"
#include "kernel/home/delivery.hpp"
#include "kernel/home/log_text.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_part_bytes = 1024 * 1024;
constexpr std::uint64_t k_log_bytes = std::uint64_t{1} << 31;  // twice the longest log there can be

// SQLite keeps these texts in the file, and an import wants them back: a view or a computed column
// of the same name could make more of a file than is in it.
constexpr const char* k_files_table =
    "CREATE TABLE bundle_files (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " size INTEGER NOT NULL, UNIQUE (kind, name)) STRICT";
constexpr const char* k_parts_table =
    "CREATE TABLE bundle_parts (file_id INTEGER NOT NULL, part INTEGER NOT NULL,"
    " data BLOB NOT NULL, PRIMARY KEY (file_id, part)) STRICT";

class BundleWriter {
 public:
  explicit BundleWriter(db::Connection& to) : to_(to) {
    to_.execute_script(k_files_table);
    to_.execute_script(k_parts_table);
  }

  void add_text(std::string_view kind, std::string_view text) {
    const std::int64_t id = add(kind, "");
    put(id, 0, text);
    to_.execute("UPDATE bundle_files SET size = $1 WHERE id = $2", text.size(), id);
  }

  // As much as is there now, at most `most`; false when it cannot be read, or is no regular file
  // itself: one odd file keeps nobody from carrying the others away.
  Result<bool> add_file(std::string_view kind, std::string_view name, const fs::path& path,
                        std::uint64_t most) {
    const auto from = open_regular(path, Links::refused);
    if (!from) {
      return false;
    }
    const std::int64_t id = add(kind, name);
    std::uint64_t size = 0;
    std::string part(k_part_bytes, '\0');
    for (std::int64_t number = 0; size < most; ++number) {
      TRY_ASSIGN(const std::size_t got, fill(from->get(), part, path));
      if (got == 0) {
        break;
      }
      put(id, number, std::string_view(part).substr(0, got));
      size += got;
    }
    to_.execute("UPDATE bundle_files SET size = $1 WHERE id = $2", static_cast<std::int64_t>(size),
                id);
    return true;
  }

 private:
  std::int64_t add(std::string_view kind, std::string_view name) {
    to_.execute("INSERT INTO bundle_files (kind, name, size) VALUES ($1, $2, 0)", kind, name);
    return to_.last_insert_id();
  }
  void put(std::int64_t id, std::int64_t number, std::string_view data) {
    to_.execute("INSERT INTO bundle_parts (file_id, part, data) VALUES ($1, $2, CAST($3 AS BLOB))",
                id, number, data);
  }
  // A whole part, but for the last one.
  static Result<std::size_t> fill(int from, std::string& part, const fs::path& path) {
    std::size_t had = 0;
    while (had < part.size()) {
      const ssize_t got = ::read(from, part.data() + had, part.size() - had);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return std::unexpected(system_error("read", path, errno));
      }
      if (got == 0) {
        break;
      }
      had += static_cast<std::size_t>(got);
    }
    return had;
  }

  db::Connection& to_;
};

Result<void> add_files(BundleWriter& bundle, db::Connection& copy, const BoardPaths& paths,
                       bool logs, Bundled& done) {
  bundle.add_text("slug", paths.slug);
  const auto settings = read_file(paths.settings(), k_settings_bytes);
  if (settings) {
    bundle.add_text("settings", *settings);
  }
  db::Cursor row = copy.query("SELECT task_id, stored_name FROM attachments ORDER BY id");
  while (row.next()) {
    const std::string name = row.text(0) + "/" + row.text(1);
    bool there = is_attachment_name(row.text(1));  // else it could name any file
    if (there) {
      TRY_ASSIGN(there, bundle.add_file("attachment", name, paths.attachments() / name,
                                        k_attachment_bytes));
    }
    done.attachments += there ? 1 : 0;
    if (!there) {
      done.missing.push_back(name);
    }
  }
  std::error_code problem;
  for (fs::directory_iterator entry(paths.logs(), problem), end; logs && !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (is_log_name(name)) {
      TRY_ASSIGN(const bool there, bundle.add_file("log", name, entry->path(), k_log_bytes));
      done.logs += there ? 1 : 0;
      if (!there) {
        done.missing.push_back(name);
      }
    }
  }
  return {};
}

// What a bundle carries beside the database.
class BundleReader {
 public:
  explicit BundleReader(db::Connection& from) : from_(from) {}

  // To be called first. Error: invalid when it has not the tables that an export has.
  Result<void> check() {
    for (const char* table : {k_files_table, k_parts_table}) {
      if (!from_.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND sql = $1", table)
               .next()) {
        return fail(ErrorCode::invalid, "it has not the tables of an exported board");
      }
    }
    db::Cursor row =
        from_.query("SELECT 1 FROM bundle_parts WHERE length(data) > $1", k_part_bytes);
    return row.next() ? fail(ErrorCode::invalid, "a piece in it is larger than 1 MiB")
                      : Result<void>{};
  }

  Result<std::optional<std::string>> text(std::string_view kind, std::size_t most) {
    db::Cursor row = from_.query(
        "SELECT p.data FROM bundle_files f JOIN bundle_parts p ON p.file_id = f.id"
        " WHERE f.kind = $1 ORDER BY f.id, p.part LIMIT 1",
        kind);
    if (!row.next()) {
      return std::nullopt;
    }
    std::string text = row.text(0);
    TRY(check_text(fmt::format("its {}", kind), text, most));
    return std::optional(std::move(text));
  }

  Result<std::int64_t> unpack(std::string_view kind, const BoardPaths& board) {
    std::vector<std::pair<std::int64_t, std::string>> files;
    {
      db::Cursor row =
          from_.query("SELECT id, name FROM bundle_files WHERE kind = $1 ORDER BY id", kind);
      while (row.next()) {
        files.emplace_back(row.integer(0), row.text(1));
      }
    }
    for (const auto& [id, name] : files) {
      TRY_ASSIGN(const fs::path path, place_of(kind, name, board));
      TRY_ASSIGN(NewFile file, NewFile::create(path));
      if (kind == "attachment") {
        mark_attachment(file);
      }
      TRY(write(id, file, kind == "attachment" ? k_attachment_bytes : k_log_bytes));
      file.keep();
    }
    return static_cast<std::int64_t>(files.size());
  }

 private:
  static Error bad_name(std::string_view kind, std::string_view name) {
    return {ErrorCode::invalid,
            fmt::format("the {} '{}' in it cannot be one", kind, printable(clip(name, 200))),
            "nothing was imported"};
  }

  // Built from checked pieces, never from the name as a whole.
  static Result<fs::path> place_of(std::string_view kind, const std::string& name,
                                   const BoardPaths& board) {
    if (kind == "log") {
      return is_log_name(name) ? Result<fs::path>(board.logs() / name)
                               : std::unexpected(bad_name(kind, name));
    }
    const auto slash = name.find('/');
    const std::string task = name.substr(0, slash);
    const std::string file = slash == std::string::npos ? "" : name.substr(slash + 1);
    if (!is_task_id(task) || !is_attachment_name(file)) {
      return std::unexpected(bad_name(kind, name));
    }
    TRY(make_directory(board.attachments_of(task)));
    return board.attachments_of(task) / file;
  }

  Result<void> write(std::int64_t id, NewFile& file, std::uint64_t most) {
    std::uint64_t size = 0;
    db::Cursor row =
        from_.query("SELECT data FROM bundle_parts WHERE file_id = $1 ORDER BY part", id);
    while (row.next()) {
      const std::string data = row.text(0);
      size += data.size();
      if (size > most) {
        return fail(ErrorCode::invalid, fmt::format("a file in it is larger than {} bytes", most),
                    "nothing was imported");
      }
      TRY(file.write(data));
    }
    return file.sync();
  }

  db::Connection& from_;
};

struct Unpacked {
  std::optional<std::string> slug;
  std::int64_t attachments = 0;
  std::int64_t logs = 0;
};

// Takes the files out of the copy of a bundle, which is a plain board afterwards. A backup is one
// already.
Result<Unpacked> unpack(const BoardPaths& draft) {
  Unpacked done;
  try {
    db::Connection bundle(draft.database(), db::OpenMode::existing);
    if (bundle.pragma("application_id") != k_bundle_id) {
      return done;
    }
    BundleReader reader(bundle);
    TRY(reader.check());
    TRY_ASSIGN(done.slug, reader.text("slug", k_name_bytes));
    TRY_ASSIGN(const auto settings, reader.text("settings", k_settings_bytes));
    if (settings) {
      TRY(write_file_atomically(draft.settings(), *settings));
      TRY(load_board_settings(draft));
    }
    TRY_ASSIGN(done.attachments, reader.unpack("attachment", draft));
    TRY_ASSIGN(done.logs, reader.unpack("log", draft));
    // Nobody has judged the other tables yet: none of them is to be looked at for references.
    bundle.set_pragma("foreign_keys", 0);
    bundle.execute_script("DROP TABLE bundle_parts; DROP TABLE bundle_files;");
    bundle.set_pragma("application_id", db::k_application_id);
  } catch (const db::DbError& error) {
    return std::unexpected(db::to_error(error, draft.database()));
  }
  return done;
}

}  // namespace

Result<void> back_up(const Home& home, db::Database& board, const fs::path& target, bool replace) {
  TRY_ASSIGN(Delivery delivery, Delivery::to(home, target, replace));
  TRY(board.copy_to(delivery.beside()));
  delivery.made();
  return delivery.finish();
}

Result<Bundled> export_board(const Home& home, const BoardPaths& paths, db::Database& board,
                             const fs::path& target, bool logs, bool replace) {
  TRY_ASSIGN(Delivery delivery, Delivery::to(home, target, replace));
  TRY(board.copy_to(delivery.beside()));
  delivery.made();
  Bundled done;
  try {
    db::Connection copy(delivery.beside(), db::OpenMode::existing);
    copy.set_pragma("secure_delete", 1);
    copy.execute("BEGIN IMMEDIATE");
    // Runs stay behind: who is given the file is not to be able to speak for one that goes on here.
    copy.execute("UPDATE runs SET token = ''");
    BundleWriter bundle(copy);
    TRY(add_files(bundle, copy, paths, logs, done));
    copy.set_pragma("application_id", k_bundle_id);
    copy.execute("COMMIT");
  } catch (const db::DbError& error) {
    return std::unexpected(db::to_error(error, delivery.beside()));
  }
  std::error_code ignored;
  done.bytes = static_cast<std::int64_t>(fs::file_size(delivery.beside(), ignored));
  TRY(delivery.finish());
  return done;
}

Result<Imported> import_board(const Home& home, const fs::path& file,
                              const std::optional<std::string>& slug, Instant now,
                              const Prepare& prepare) {
  TRY(create_home(home));
  Imported done;
  const auto placed = place_board(
      home, slug.value_or("import"), [&](const BoardPaths& draft) -> Result<std::string> {
        TRY(bring_in(home, file, draft.database()));
        TRY(make_directory(draft.logs()));
        TRY(make_directory(draft.workspaces()));
        TRY(make_directory(draft.attachments()));
        auto unpacked = unpack(draft);
        if (!unpacked) {
          return std::unexpected(about_file(file, unpacked.error()));
        }
        done.attachments = unpacked->attachments;
        done.logs = unpacked->logs;
        const std::optional<std::string> wanted = slug ? slug : unpacked->slug;
        if (!wanted) {
          return fail(
              ErrorCode::usage,
              fmt::format("{} does not say what its board was called", printable(file.string())),
              "name the new board: hermes kanban boards import FILE NAME");
        }
        TRY_ASSIGN(std::string name, parse_slug(*wanted));
        TRY(adopt_draft(draft, file, now, prepare));
        TRY(sync_directory(draft.attachments()));
        return name;
      });
  if (!placed) {
    return std::unexpected(placed.error());
  }
  if (!placed->is_new) {
    return fail(ErrorCode::conflict, fmt::format("there is a board '{}' already", placed->slug),
                "an import is always a new board: name another one");
  }
  done.board = home.board(placed->slug);
  return done;
}

}  // namespace hermes::home
