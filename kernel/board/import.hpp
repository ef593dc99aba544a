#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/db/foreign.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

// Tasks of another program's board: read into plain values, judged, planned, inserted. Who reads
// them knows where they come from; from `admit` on nobody does.
namespace hermes::board {

// What an import did not take, and what it changed on the way.
class Findings {
 public:
  struct Skipped {
    std::string id;  // as the source calls it; "" for what has none
    std::string reason;
  };
  struct Note {
    std::string text;
    std::int64_t count = 0;
    std::vector<std::string> ids;  // the first few
  };

  void skip(std::string id, std::string reason);
  void note(const std::string& text, const std::string& id);
  void note(const std::string& text, std::int64_t count);  // nothing when `count` is 0

  const std::vector<Skipped>& skipped() const { return skipped_; }
  const std::vector<Note>& notes() const { return notes_; }

 private:
  Note& note_of(const std::string& text);

  std::vector<Skipped> skipped_;
  std::vector<Note> notes_;
};

struct ImportedComment {
  std::string author;
  std::string body;
  Instant at;
};

// A run as it is to be stored, always a closed one. `key` is what events call it by.
struct ImportedRun {
  std::string key;
  Run run;
};

struct ImportedEvent {
  std::string run_key;  // "" for none
  std::string kind;
  std::string payload;  // text of a JSON object without "from", "to" and "limit"; "" for none
  Instant at;
};

// A file somewhere that belongs to a task. Who carries the import out copies it.
struct ImportedFile {
  std::string source_id;
  std::string path;  // absolute
  std::string name;
  std::string content_type;  // "" when it is not known
  std::string added_by;
  std::string task_id;  // here; set by carry_out
};

// A task with all that belongs to it. `task.status` is what the source's status means here before
// links are looked at: running never occurs.
struct ImportedTask {
  std::string source_id;
  std::string source_status;
  std::optional<Instant> source_created;  // nothing when the source does not tell
  Task task;
  std::vector<ImportedComment> comments;
  std::vector<ImportedRun> runs;      // in the order of their attempts
  std::vector<ImportedEvent> events;  // oldest first
  std::vector<std::string> parents;   // source ids of what it waits for
  std::vector<ImportedFile> files;
};

struct ImportedBoard {
  std::string origin;  // "kanban.db" or "json-lines"
  std::vector<ImportedTask> tasks;
  Findings findings;
};

// The predecessor's kanban.db in every shape it ever had. Error: invalid when it is no such board,
// or one of ours; damaged.
Result<ImportedBoard> read_predecessor(const db::ForeignCopy& copy, Instant now);

// One JSON object per line, as `beads` keeps its issues. Error: invalid when no line is one.
Result<ImportedBoard> read_json_lines(std::string_view text, Instant now);

// Holds every value against the bounds of the board. A task whose own words cannot be stored is
// left out whole; an optional text that cannot is left out and reported. Nothing is ever cut.
void admit(ImportedBoard& board);

struct ImportReport {
  std::int64_t tasks = 0;
  std::int64_t links = 0;
  std::int64_t comments = 0;
  std::int64_t events = 0;
  std::int64_t runs = 0;
  std::vector<ImportedFile> files;              // to be attached to the tasks that came over
  std::vector<ImportedFile> files_of_existing;  // of tasks that came earlier; they may be here
  std::int64_t existing = 0;                    // tasks that an earlier import has brought
  std::vector<std::pair<std::string, std::string>> renamed;  // source id, id here ("": not yet)
  Findings findings;
};

// What is to be inserted: the tasks that no earlier import brought, with their links and the
// statuses that follow from these.
struct ImportPlan {
  struct Link {
    std::string parent;    // an id of this board, "" for a task of the plan
    std::size_t from = 0;  // its place in `tasks`
    std::size_t to = 0;
    LinkCondition condition = LinkCondition::done;
    bool satisfied = false;
  };
  std::string origin;
  std::vector<ImportedTask> tasks;  // task.id is "" where one is still to be drawn
  std::vector<std::string> facts;   // by which an import knows each task again
  std::vector<Link> links;
  ImportReport report;
};
ImportPlan plan_import(db::Reader& tx, ImportedBoard board, Instant now, const Limits& limits);

// Inserts all of it. Error: forbidden inside a worker.
Result<ImportReport> carry_out(Change& change, ImportPlan plan);

}  // namespace hermes::board
