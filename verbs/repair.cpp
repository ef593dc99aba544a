#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/archive.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

// The table is whole and only an index of it is not: "row 5 missing from index x", "wrong # of
// entries in index x", "non-unique entry in index x". The name of the index, or nothing when the
// line says anything else.
std::optional<std::string> damaged_index(std::string_view line) {
  for (const std::string_view mark :
       {" missing from index ", "wrong # of entries in index ", "non-unique entry in index "}) {
    if (const auto at = line.find(mark); at != std::string_view::npos) {
      const std::string_view name = line.substr(at + mark.size());
      return name.find_first_of(" \n") == std::string_view::npos ? std::optional(std::string(name))
                                                                 : std::nullopt;
    }
  }
  return std::nullopt;
}

Result<std::set<std::string>> damaged_indexes(const std::vector<std::string>& problems,
                                              const home::BoardPaths& paths) {
  std::set<std::string> indexes;
  for (const std::string& line : problems) {
    const auto index = damaged_index(line);
    if (!index) {
      return fail(ErrorCode::damaged,
                  fmt::format("the damage of board {} is not of its indexes: {}", paths.slug,
                              printable(first_line(line))),
                  fmt::format("nothing was changed; take a backup back with `hermes kanban "
                              "--board {} restore FILE`, or save what can be read with: sqlite3 {} "
                              ".recover",
                              paths.slug, paths.database().string()));
    }
    indexes.insert(*index);
  }
  return indexes;
}

// The board as it was found, beside those that were put away.
Result<fs::path> keep_copy(const home::Home& home, const home::BoardPaths& paths,
                           db::Database& database, Instant now) {
  TRY_ASSIGN(fs::path dir, home::make_archive_directory(home, paths.slug + "-before-repair", now));
  const home::BoardPaths copy{paths.slug, dir};
  TRY(database.copy_to(copy.database(), true));
  if (const auto settings = read_file(paths.settings(), 1U << 20U)) {
    TRY(write_file_atomically(copy.settings(), *settings));
  }
  TRY(sync_directory(dir));
  return dir;
}

std::vector<std::string> missing_parts(const home::BoardPaths& paths) {
  std::vector<std::string> missing;
  std::error_code ignored;
  for (const fs::path& part : {paths.lock(), paths.logs(), paths.workspaces()}) {
    if (!fs::exists(part, ignored)) {
      missing.push_back(part.filename().string());
    }
  }
  return missing;
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

Result<Answer> repair(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, board_choice(call)));
  const Instant now = call.environment.now;
  TRY_ASSIGN(db::Database database,
             db::Database::open(home::files_of(paths), db::Database::Access::as_is, now));
  TRY_ASSIGN(const std::vector<std::string> problems, database.check_integrity(false, true));
  TRY_ASSIGN(const std::set<std::string> indexes, damaged_indexes(problems, paths));
  const std::vector<std::string> restored = missing_parts(paths);
  TRY(home::create_board(home, paths.slug, now));  // puts back what is missing
  Answer answer;
  std::optional<fs::path> kept;
  if (!indexes.empty()) {
    TRY_ASSIGN(kept, keep_copy(home, paths, database, now));
    TRY(database.write([&](db::Writer& tx) -> Result<void> {
      for (const std::string& index : indexes) {
        tx.execute("REINDEX " + quoted(index));
      }
      return {};
    }));
    TRY_ASSIGN(const std::vector<std::string> left, database.check_integrity(false));
    if (!left.empty()) {
      return fail(ErrorCode::damaged,
                  fmt::format("board {} is still damaged: {}", paths.slug,
                              printable(first_line(left.front()))),
                  fmt::format("it is kept as it was in {}; take a backup back with `hermes kanban "
                              "--board {} restore FILE`",
                              kept->string(), paths.slug));
    }
  }
  answer.value = {{"board", paths.slug},
                  {"findings", problems},
                  {"reindexed", indexes},
                  {"restored_parts", restored},
                  {"kept", kept ? Json(kept->string()) : Json(nullptr)}};
  return answer;
}

}  // namespace hermes::verbs
