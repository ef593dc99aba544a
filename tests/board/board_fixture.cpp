#include "board/board_fixture.hpp"

namespace hermes::test {

BoardFixture::BoardFixture(TempDir::Storage storage) : dir(storage) {
  const db::BoardFiles files{dir / "board.db", dir / "board.lock"};
  REQUIRE(db::Database::create(files, now));
  auto opened = db::Database::open(files, db::Database::Access::write, now);
  REQUIRE(opened);
  database.emplace(std::move(*opened));
}

void BoardFixture::check() {
  for (const std::string& violation :
       read([](db::Reader& tx) { return board::check_invariants(tx); })) {
    FAIL_CHECK(violation);
  }
}

std::string BoardFixture::add(const std::string& title, std::vector<std::string> parents,
                              const std::string& assignee) {
  const auto created = change([&](board::Change& c) {
    board::NewTask request;
    request.title = title;
    request.parents = std::move(parents);
    request.assignee = assignee;
    return board::create(c, request);
  });
  REQUIRE(created);
  return created->task.id;
}

Task BoardFixture::task(const std::string& id) {
  return read([&](db::Reader& tx) { return board::get_task(tx, id).value(); });
}

std::vector<std::string> BoardFixture::kinds(const std::string& id) {
  std::vector<std::string> found;
  for (const Event& event : read([&](db::Reader& tx) { return board::events_of(tx, id); })) {
    found.push_back(event.kind);
  }
  return found;
}

std::int64_t BoardFixture::last_event() {
  return read([](db::Reader& tx) { return board::last_event(tx); });
}

Run BoardFixture::start(const std::string& id) {
  const auto run = change([&](board::Change& c) -> Result<Run> {
    auto claimed = board::claim(
        c, id, {HolderKind::dispatcher, "shell", host, "holder", limits.claim_ttl, {}, {}});
    if (claimed) {
      CHECK(board::record_shim(c, *claimed, 4711, 99));
    }
    return claimed;
  });
  REQUIRE(run);
  return *run;
}

Run BoardFixture::claim_outside(const std::string& id, Millis ttl) {
  const auto run = change([&](board::Change& c) {
    return board::claim(c, id, {HolderKind::external, "alice", host, "outside", ttl, {}, {}});
  });
  REQUIRE(run);
  return *run;
}

Actor BoardFixture::worker(const Run& run) const {
  return {"shell", WorkerIdentity{slug, run.task_id, run.id, run.token}};
}

bool BoardFixture::finish(const Run& run, const ExitFacts& exit, VerdictMode mode) {
  return change([&](board::Change& c) -> Result<bool> {
           return board::finish_run(c, run.id, exit, mode);
         })
      .value();
}

bool BoardFixture::exits(const Run& run, int code, VerdictMode mode) {
  return finish(run, {.kind = ExitKind::exited, .code = code}, mode);
}

std::vector<std::string> BoardFixture::candidates() {
  const auto view = read([&](db::Reader& tx) {
    return board::snapshot(tx, slug, now, limits, {{"shell", VerdictMode::by_exit_code}}, host, 16);
  });
  std::vector<std::string> ids;
  for (const auto& candidate : view.candidates) {
    ids.push_back(candidate.task_id);
  }
  return ids;
}

std::vector<std::string> BoardFixture::due() {
  return read([&](db::Reader& tx) {
    return board::snapshot(tx, slug, now, limits, {{"shell", VerdictMode::by_exit_code}}, host, 16)
        .due;
  });
}

std::vector<std::string> BoardFixture::comments(const std::string& id) {
  std::vector<std::string> bodies;
  for (const Comment& comment : read([&](db::Reader& tx) { return board::comments_of(tx, id); })) {
    bodies.push_back(comment.body);
  }
  return bodies;
}

}  // namespace hermes::test
