#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/rules/planning.hpp"

// Specify and decompose on the tables. The planner is asked between two transactions, so each of
// them is one function here:
//
//   begin_planning                                 killed after it: the row says that somebody was
//                                                  asked, and holds automation back for its time
//   specify, decompose  or  fail_planning  or  forget_planning
//
// What was moved or changed since a planner was asked is not overwritten.
namespace hermes::board {

struct Asked {
  Task task;  // as the planner is given it
  Instant at;
};

// Nothing when no planner was asked since the task came into triage or got its text. What a clock
// that was set back since has put further ahead than any rest or asking reaches is over.
std::optional<Planning> planning_of(db::Reader& tx, const std::string& task_id, Instant now,
                                    const PlanningLimits& limits);

struct PlanningTerms {
  Millis term;          // how long the planner may take
  bool if_due = false;  // only what automation may ask now
};
// Writes down that a planner is being asked. An attempt whose time is over without an end counts
// as a failure from now on. Error: not_found, forbidden, conflict (not in triage; with if_due: it
// is a person's, given up, or not due yet).
Result<Asked> begin_planning(Change& change, const std::string& id, PlanKind kind,
                             const PlanningTerms& terms, const PlanningLimits& limits);

// Title, body and (where the task has none) assignee, and → ready. Error: invalid, conflict
// (raced).
struct Specified {
  Task task;
  std::vector<std::string> fields;  // that have changed
};
Result<Specified> specify(Change& change, const Asked& asked, const rules::Rewrite& rewrite,
                          const std::string& author);

// The children, their links, an assignee where the root has none, and the root waiting for all of
// them: → todo. No child starts before what the root waits for already. `notes`: what was done
// otherwise than proposed, for the comment. Error: invalid (rules::check_graph, place_of), conflict
// (raced).
struct Decomposed {
  Task task;
  std::vector<std::string> child_ids;  // in the order of the proposal
};
struct DecomposeTerms {
  const PlanningLimits& limits;
  std::string default_workdir;
  std::string author;
  std::vector<std::string> notes;
};
Result<Decomposed> decompose(Change& change, const Asked& asked, const rules::Graph& graph,
                             const DecomposeTerms& terms);

// The planner has failed: counted, told by an event, tried again later. When the task was moved or
// changed meanwhile it is forgotten, and nothing is answered. Another attempt that has begun since
// is still at work.
Result<std::optional<Planning>> fail_planning(Change& change, const Asked& asked, PlanKind kind,
                                              const std::string& reason,
                                              const PlanningLimits& limits);
// It was not its fault: as if it had not been asked.
void forget_planning(Change& change, const Asked& asked);

// A task in triage, as `--all` and automation see it.
struct Triaged {
  std::string id;
  std::string tenant;
  bool escalated = false;  // its worker's blocks have brought it here: it is a person's
  std::optional<Planning> planning;
};
// By priority, then the oldest first; at most `most`.
std::vector<Triaged> triaged(db::Reader& tx, Instant now, const PlanningLimits& limits,
                             std::size_t most);

// What automation may ask now (rules::not_due), and when the next one becomes due.
struct DuePlannings {
  std::vector<std::string> ids;  // at most `most`: first those at which it has failed least
  std::optional<Instant> next_at;
};
DuePlannings due_plannings(db::Reader& tx, Instant now, const PlanningLimits& limits,
                           std::size_t most);

// How many tasks were created in triage and are there.
std::int64_t count_triaged(db::Reader& tx);

}  // namespace hermes::board
