#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/words.hpp"
#include "kernel/board/change.hpp"
#include "kernel/model/run.hpp"
#include "verbs/fake_host.hpp"

// One call of a verb, looked at from every state and for everybody who may make it.
namespace hermes::test::conformance {

enum class Caller { person, its_worker, other_worker, replaced_worker };

// The nine states; running is three, because it matters who holds the run and what it is for.
enum class Place {
  triage,
  todo,
  scheduled,
  ready,
  running,
  by_hand,
  reviewing,
  blocked,
  review,
  done,
  archived,
};

}  // namespace hermes::test::conformance

template <>
inline constexpr auto hermes::k_words<hermes::test::conformance::Caller> =
    std::to_array<std::string_view>({"a person", "its worker", "another task's worker",
                                     "a replaced worker"});
template <>
inline constexpr auto hermes::k_words<hermes::test::conformance::Place> =
    std::to_array<std::string_view>({"triage", "todo", "scheduled", "ready", "running",
                                     "running (by hand)", "running (reviewer)", "blocked", "review",
                                     "done", "archived"});

namespace hermes::test::conformance {

Status status_of(Place place);

// What a call came to.
struct Cell {
  std::string call;  // the line of calls.txt
  Caller caller = Caller::person;
  Place place = Place::triage;
  int exit_status = 0;
  std::string refusal;              // the error's code; "" when nothing was refused
  std::optional<Status> to;         // nothing: the task is gone
  std::vector<std::string> events;  // "completed", of other tasks "its child: promoted"
  std::vector<std::string> runs;    // what became of runs of the task: "closed as completed"
  std::size_t opened = 0;           // runs, of whatever task
  bool changed = false;             // a row of the board is another, is new or has gone
  std::vector<std::string> broken;  // invariants
};

// A board on which calls are looked at, each on a task of its own.
class Scene {
 public:
  Scene();

  // `call` is a line of calls.txt. Throws when it cannot be parsed, or the state not be reached.
  Cell look(const std::string& call, Caller caller, Place place);

 private:
  // The tasks that a call can name, and who its caller says he is.
  struct Cast {
    std::map<std::string, std::string> names;  // TASK, PARENT, CHILD, OTHER, ATTACHMENT
    std::optional<Run> identity;
  };

  template <class Body>
  auto write(const Actor& actor, Body body);
  template <class Body>
  auto read(Body body);

  Cast prepare(Caller caller, Place place);
  Run lead_to(const std::string& id, const std::string& parent, Place place);
  Run start(const std::string& id, bool by_hand = false);
  void finish(const Run& run);
  void finish_what_was_told_to_stop();
  std::string rows();
  void act(const std::string& call, const Cast& cast, Cell& cell);

  VerbRig rig_;
  db::Database database_;
  SeededRandom random_{11};
};

}  // namespace hermes::test::conformance
