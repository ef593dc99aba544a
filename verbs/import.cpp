#include "kernel/board/import.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/home/attachments.hpp"
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

// Where the predecessor kept the files of attachments: beside the database of a board of its own,
// below kanban/ beside that of its default board. A board that names other files could make us hand
// out what is none of its business; the directory itself may be a person's home.
bool is_among_attachments(const fs::path& file, const fs::path& source) {
  std::error_code ignored;
  const fs::path real = fs::weakly_canonical(file, ignored);
  const fs::path root = fs::weakly_canonical(source, ignored).parent_path();
  return lies_in(real, root / "attachments") || lies_in(real, root / "kanban" / "attachments");
}

// What keeps a file from being copied, if anything.
std::optional<std::string> problem_of(const board::ImportedFile& file, const fs::path& source) {
  if (!is_among_attachments(file.path, source)) {
    return "the file of an attachment is not in the attachments directory of the board";
  }
  const auto opened = open_regular(file.path);
  struct stat facts {};
  if (!opened || ::fstat(opened->get(), &facts) != 0) {
    return "the file of an attachment is not there";
  }
  return static_cast<std::uint64_t>(facts.st_size) > home::k_attachment_bytes
             ? std::optional<std::string>("an attachment is too large")
             : std::nullopt;
}

bool is_copy_of(const Attachment& attachment, const board::ImportedFile& file) {
  std::error_code lost;
  const auto size = fs::file_size(file.path, lost);
  return home::is_stored_name_of(home::attachment_name(file.name), attachment.stored_name) &&
         (lost || attachment.size == static_cast<std::int64_t>(size));
}

// What an earlier import was killed before, or what was not there then, is brought now: each file
// of a task that came over earlier, unless the task has one of its name and size.
Result<void> add_missing_files(OpenBoard& open, board::ImportReport& report) {
  std::map<std::string, std::vector<Attachment>> here;
  for (const board::ImportedFile& file : report.files_of_existing) {
    if (!here.contains(file.task_id)) {
      TRY_ASSIGN(here[file.task_id],
                 open.database.read([&](db::Reader& tx) -> Result<std::vector<Attachment>> {
                   return board::attachments_of(tx, file.task_id);
                 }));
    }
    std::vector<Attachment>& kept = here[file.task_id];
    const auto found =
        std::ranges::find_if(kept, [&](const Attachment& one) { return is_copy_of(one, file); });
    if (found == kept.end()) {
      report.files.push_back(file);
    } else {
      kept.erase(found);  // each stands for one file
    }
  }
  return {};
}

// Files cannot be copied under the gate, and belong to tasks whose ids only the import has drawn:
// they follow it, with their rows in one transaction. How many came over.
Result<std::int64_t> attach_files(OpenBoard& open, Call& call, const fs::path& source,
                                  board::ImportReport& report) {
  std::vector<home::StoredFile> stored;
  std::vector<board::NewAttachment> rows;
  for (const board::ImportedFile& file : report.files) {
    if (const auto problem = problem_of(file, source)) {
      report.findings.skip(file.source_id, *problem);
      continue;
    }
    const auto opened = open_regular(file.path);
    auto copy = opened ? home::store_attachment(open.paths, file.task_id,
                                                home::attachment_name(file.name), opened->get())
                       : std::unexpected(opened.error());
    if (!copy && copy.error().code == ErrorCode::unavailable) {  // a full disk, for example
      return std::unexpected(copy.error());
    }
    if (!copy) {  // it has changed since it was looked at
      report.findings.skip(file.source_id, one_line(copy.error()));
      continue;
    }
    rows.push_back(
        {file.task_id, copy->name,
         file.content_type.empty() ? home::content_type_of(copy->name) : file.content_type,
         copy->size, file.added_by});
    stored.push_back(*std::move(copy));
  }
  if (rows.empty()) {
    return 0;
  }
  const auto added = change(open, call, [&](board::Change& tx) -> Result<void> {
    for (const board::NewAttachment& row : rows) {
      TRY(board::add_attachment(tx, row));
    }
    return {};
  });
  home::keep_unless_undone(stored, added);
  TRY(added);
  return static_cast<std::int64_t>(rows.size());
}

// The same for a dry run: how many would.
std::int64_t look_at_files(const fs::path& source, board::ImportReport& report) {
  std::int64_t good = 0;
  for (const board::ImportedFile& file : report.files) {
    if (const auto problem = problem_of(file, source)) {
      report.findings.skip(file.source_id, *problem);
    } else {
      ++good;
    }
  }
  return good;
}

Json report_json(const board::ImportReport& report, std::int64_t files, bool dry_run) {
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
            {"runs", report.runs},
            {"attachments", files}}},
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
    TRY_ASSIGN(board::ImportPlan plan, open.database.read([&](db::Reader& tx) {
      return Result<board::ImportPlan>(
          board::plan_import(tx, std::move(source), call.environment.now, open.config.limits));
    }));
    TRY(add_missing_files(open, plan.report));
    const std::int64_t files = look_at_files(path, plan.report);
    answer.value = report_json(plan.report, files, true);
  } else {
    TRY_ASSIGN(OpenBoard open, open_to_write(call));
    tell_config_error(open, answer);
    TRY_ASSIGN(board::ImportReport report, change(open, call, [&](board::Change& change) {
                 return board::carry_out(change, board::plan_import(change.tx, std::move(source),
                                                                    change.now, change.limits));
               }));
    TRY(add_missing_files(open, report));
    const auto files = attach_files(open, call, path, report);
    if (!files) {  // the tasks are here: said as what is missing, not as a failure of the whole
      report.findings.skip(
          "", "the attachments, which another import brings: " + one_line(files.error()));
    }
    answer.value = report_json(report, files.value_or(0), false);
  }
  answer.people = {{"board", paths.slug}, {"path", path.string()}};
  return answer;
}

}  // namespace hermes::verbs
