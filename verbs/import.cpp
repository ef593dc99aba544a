#include "kernel/board/import.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

constexpr std::size_t k_most_bytes = 256 * 1024 * 1024;  // of JSON Lines
constexpr std::string_view k_sqlite_magic("SQLite format 3\0", 16);

// Of our own boards no file is ever opened beside SQLite: closing it would drop the locks of this
// process. stat opens nothing.
Result<void> refuse_own_board(const home::Home& home, const fs::path& path) {
  struct stat given {};
  if (::stat(path.c_str(), &given) != 0) {
    return {};  // whoever reads it says why not
  }
  for (const std::string& slug : home::list_boards(home)) {
    struct stat own {};
    if (::stat(home.board(slug).database().c_str(), &own) == 0 && own.st_dev == given.st_dev &&
        own.st_ino == given.st_ino) {
      return fail(ErrorCode::invalid,
                  fmt::format("{} is the board {} of this home", printable(path.string()), slug),
                  "give the kanban.db of the other program");
    }
  }
  return {};
}

bool is_sqlite(const fs::path& path) {
  char head[16] = {};
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file && ::read(file.get(), head, sizeof head) == sizeof head &&
         std::string_view(head, sizeof head) == k_sqlite_magic;
}

Result<board::ImportedBoard> read_source(const fs::path& path, Instant now) {
  std::error_code problem;
  if (!fs::exists(path, problem)) {
    return fail(ErrorCode::not_found, fmt::format("there is no file {}", printable(path.string())),
                "give the path of a kanban.db or of JSON Lines");
  }
  if (!fs::is_regular_file(path, problem)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not a regular file", printable(path.string())),
                "give the path of a kanban.db or of JSON Lines");
  }
  if (is_sqlite(path)) {
    TRY_ASSIGN(const db::ForeignCopy copy, db::ForeignCopy::take(path));
    return board::read_predecessor(copy, now);
  }
  TRY_ASSIGN(const std::string text, read_file(path, k_most_bytes));
  if (trim(text).empty()) {
    return fail(ErrorCode::invalid, fmt::format("{} is empty", printable(path.string())),
                "give the path of a kanban.db or of JSON Lines");
  }
  if (trim(text).front() != '{') {
    return fail(
        ErrorCode::invalid,
        fmt::format("{} is neither an SQLite database nor JSON Lines", printable(path.string())),
        "give the path of a kanban.db, or of one JSON object per line");
  }
  return board::read_json_lines(text, now);
}

Json report_json(const board::ImportReport& report, bool dry_run) {
  Json skipped = Json::array();
  for (const auto& item : report.findings.skipped()) {
    skipped.push_back({{"id", or_null(item.id)}, {"reason", item.reason}});
  }
  Json notes = Json::array();
  for (const auto& note : report.findings.notes()) {
    notes.push_back({{"note", note.text}, {"count", note.count}, {"ids", note.ids}});
  }
  Json renamed = Json::array();
  for (const auto& [from, to] : report.renamed) {
    renamed.push_back({{"from", from}, {"to", or_null(to)}});
  }
  return {{"dry_run", dry_run},
          {"imported",
           {{"tasks", report.tasks},
            {"links", report.links},
            {"comments", report.comments},
            {"events", report.events},
            {"runs", report.runs}}},
          {"existing", report.existing},
          {"renamed", std::move(renamed)},
          {"skipped", std::move(skipped)},
          {"notes", std::move(notes)}};
}

}  // namespace

Result<Answer> import_board(Call& call) {
  const fs::path path = call.values.text_or("path", "");
  const bool dry_run = call.values.flag("dry-run");
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, board_choice(call)));
  TRY(refuse_own_board(home, path));
  // Read and judged before our board is opened, and long before its gate is entered.
  TRY_ASSIGN(board::ImportedBoard source, read_source(path, call.environment.now));
  board::admit(source);
  Answer answer;
  if (dry_run) {
    TRY_ASSIGN(OpenBoard open, open_with_config(call));
    tell_config_error(open, answer);
    TRY_ASSIGN(const board::ImportPlan plan, open.database.read([&](db::Reader& tx) {
      return Result<board::ImportPlan>(
          board::plan_import(tx, std::move(source), call.environment.now, open.config.limits));
    }));
    answer.value = report_json(plan.report, true);
  } else {
    TRY_ASSIGN(OpenBoard open, open_to_write(call));
    tell_config_error(open, answer);
    TRY_ASSIGN(const board::ImportReport report, change(open, call, [&](board::Change& change) {
                 return board::carry_out(change, board::plan_import(change.tx, std::move(source),
                                                                    change.now, change.limits));
               }));
    answer.value = report_json(report, false);
  }
  answer.people = {{"board", paths.slug}, {"path", path.string()}};
  return answer;
}

}  // namespace hermes::verbs
