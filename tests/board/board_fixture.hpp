#pragma once

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <vector>

#include "kernel/base/random.hpp"
#include "kernel/board/change.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/context.hpp"
#include "kernel/board/edit.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/facts.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/board/remove.hpp"
#include "kernel/board/review.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/schedule.hpp"
#include "kernel/board/snapshot.hpp"
#include "kernel/board/stats.hpp"
#include "kernel/board/swarm.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"
#include "kernel/board/why.hpp"
#include "support/temp_dir.hpp"

namespace hermes::test {

// A real board in a directory of its own, with a clock that the test moves. Every change is
// followed by a check of all invariants.
class BoardFixture {
 public:
  explicit BoardFixture(TempDir::Storage storage = TempDir::Storage::disk);

  // Runs `body(Change&)` as `actor` in a write transaction and checks the invariants afterwards.
  template <class Body>
  auto as(const Actor& actor, Body body) {
    auto result = database->write([&](db::Writer& tx) {
      board::Change change{tx, now, actor, slug, limits, random};
      return body(change);
    });
    check();
    return result;
  }
  template <class Body>
  auto change(Body body) {
    return as(person, body);
  }
  template <class Body>
  auto read(Body body) {
    return database->read([&](db::Reader& tx) -> Result<decltype(body(tx))> { return body(tx); })
        .value();
  }

  void check();
  void pass(Millis time) { now = now + time; }

  std::string add(const std::string& title, std::vector<std::string> parents = {},
                  const std::string& assignee = "shell");
  Task task(const std::string& id);
  Status status(const std::string& id) { return task(id).status; }
  std::vector<std::string> kinds(const std::string& id);  // of its events
  std::int64_t last_event();

  // A claim as the dispatcher makes it, with a shim; `external` as a person makes it.
  Run start(const std::string& id);
  Run claim_outside(const std::string& id, Millis ttl = std::chrono::seconds{900});
  Actor worker(const Run& run) const;
  bool finish(const Run& run, const ExitFacts& exit, VerdictMode mode = VerdictMode::by_exit_code);
  bool exits(const Run& run, int code, VerdictMode mode = VerdictMode::by_exit_code);
  std::vector<std::string> candidates();
  std::vector<std::string> due();  // scheduled tasks whose time has come
  std::vector<std::string> comments(const std::string& id);

  TempDir dir;
  std::string slug = "default";
  Limits limits;
  SeededRandom random{42};
  Instant now{1'700'000'000'000};
  Actor person{"alice", std::nullopt};
  HostIdentity host{"machine-1", "boot-1"};
  std::optional<db::Database> database;
};

}  // namespace hermes::test
