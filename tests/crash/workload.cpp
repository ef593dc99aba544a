#include "crash/workload.hpp"

#include <fmt/core.h>

#include <functional>

#include "kernel/board/assign.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/edit.hpp"
#include "kernel/board/import.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/notify.hpp"
#include "kernel/board/remove.hpp"
#include "kernel/board/review.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/schedule.hpp"
#include "kernel/board/swarm.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"

namespace hermes::test {

namespace {

using board::Change;

const HostIdentity k_host{"machine-1", "boot-1"};
const Actor k_person{"alice", std::nullopt};
const std::string k_slug = "default";
constexpr std::size_t k_bulk_body = 16'000;

// The ground of one call: the board, dice, and what they choose.
class Call {
 public:
  Call(db::Writer& tx, std::uint64_t seed, Instant now) : tx_(tx), random_(seed), now_(now) {}

  Result<void> create();
  Result<void> import(int tasks, std::size_t body);
  Result<void> any();

 private:
  template <class Body>
  Result<void> as(const Actor& actor, Body body) {
    Change change{tx_, now_, actor, k_slug, limits_, random_};
    TRY(body(change));
    return {};
  }
  std::uint64_t roll(std::uint64_t sides) { return random_.next() % sides; }
  std::string any_task();
  std::string task_that_is(Status status);
  std::optional<Run> any_open_run();
  static Actor worker(const Run& run) {
    return {"shell", WorkerIdentity{k_slug, run.task_id, run.id, run.token}};
  }
  std::string some_text() { return std::string(roll(1500), static_cast<char>('a' + roll(26))); }

  Result<void> claim();
  Result<void> work();
  Result<void> decide();
  Result<void> connect();
  Result<void> write_down();
  Result<void> put_away();

  db::Writer& tx_;
  SeededRandom random_;
  Instant now_;
  Limits limits_;
};

std::string Call::any_task() {
  auto row = tx_.query(
      "SELECT id FROM tasks ORDER BY id LIMIT 1 OFFSET $1 % max(1, (SELECT count(*) FROM tasks))",
      static_cast<std::int64_t>(roll(1'000'000)));
  return row.next() ? row.text(0) : "t_none";
}

std::string Call::task_that_is(Status status) {
  auto row =
      tx_.query("SELECT id FROM tasks WHERE status = $1 ORDER BY id LIMIT 1", to_word(status));
  return row.next() ? row.text(0) : any_task();
}

std::optional<Run> Call::any_open_run() {
  auto row = tx_.query("SELECT id FROM runs WHERE ended_at IS NULL ORDER BY id LIMIT 1 OFFSET $1",
                       static_cast<std::int64_t>(roll(2)));
  return row.next() ? board::find_run(tx_, row.integer(0)) : std::nullopt;
}

Result<void> Call::create() {
  board::NewTask task;
  task.title = fmt::format("task {}", roll(1000));
  task.assignee = roll(4) == 0 ? "" : "shell";
  task.body = some_text();
  if (roll(3) == 0) {
    if (const std::string parent = any_task(); parent != "t_none") {
      task.parents.push_back(parent);
    }
  }
  task.blocked = roll(8) == 0;
  return as(k_person, [&](Change& change) { return board::create(change, task); });
}

Result<void> Call::import(int tasks, std::size_t body) {
  std::string lines;
  const std::uint64_t first = roll(1'000'000);
  for (int i = 0; i < tasks; ++i) {
    lines += fmt::format(
        R"({{"id": "bd-{}", "title": "from elsewhere", "description": "{}", "status": "open"}})",
        first + static_cast<std::uint64_t>(i), std::string(body, 'x'));
    lines += "\n";
  }
  return as(k_person, [&](Change& change) -> Result<void> {
    TRY_ASSIGN(board::ImportedBoard found, board::read_json_lines(lines, change.now));
    board::admit(found);
    TRY(board::carry_out(
        change, board::plan_import(change.tx, std::move(found), change.now, change.limits)));
    return {};
  });
}

Result<void> Call::claim() {
  const std::string id = task_that_is(Status::ready);
  const bool outside = roll(3) == 0;
  const board::ClaimRequest request{outside ? HolderKind::external : HolderKind::dispatcher,
                                    "shell",
                                    k_host,
                                    "h",
                                    std::chrono::seconds{900},
                                    {},
                                    {}};
  return as(k_person, [&](Change& change) -> Result<void> {
    TRY_ASSIGN(const Run run, board::claim(change, id, request));
    if (!outside) {
      board::record_shim(change, run, 4711, 99);
    }
    return {};
  });
}

Result<void> Call::work() {
  const auto run = any_open_run();
  if (!run) {
    return claim();
  }
  const Actor actor = run->holder_kind == HolderKind::external ? k_person : worker(*run);
  const std::string id = run->task_id;
  return as(actor, [&](Change& change) -> Result<void> {
    switch (roll(6)) {
      case 0:
        TRY(board::heartbeat(change, id, "still here"));
        break;
      case 1:
        TRY(board::complete(change, id, {some_text(), {}, R"({"a": 1})"}, false));
        break;
      case 2:
        TRY(board::block(change, id, BlockKind::needs_input, "which one?"));
        break;
      case 3:
        TRY(board::request_review(change, id, "look at it"));
        break;
      default: {
        const ExitFacts exit{.kind = ExitKind::exited, .code = static_cast<int>(roll(2))};
        board::finish_run(change, run->id, exit, VerdictMode::by_exit_code);
      }
    }
    return {};
  });
}

Result<void> Call::decide() {
  return as(k_person, [&](Change& change) -> Result<void> {
    switch (roll(6)) {
      case 0:
        TRY(board::unblock(change, task_that_is(Status::blocked), "go on", true));
        break;
      case 1:
        TRY(board::schedule(change, any_task(), now_ + std::chrono::hours{1}, "later"));
        break;
      case 2:
        TRY(board::assign(change, any_task(), {roll(2) == 0 ? "other" : "shell", false, {}}));
        break;
      case 3:
        TRY(board::request_changes(change, task_that_is(Status::review), "not yet"));
        break;
      case 4:
        TRY(board::unblock(change, task_that_is(Status::scheduled), {}, false));
        break;
      default:
        TRY(board::complete(change, task_that_is(Status::ready), {"by hand", {}, {}}, false));
    }
    return {};
  });
}

Result<void> Call::connect() {
  return as(k_person, [&](Change& change) -> Result<void> {
    switch (roll(3)) {
      case 0:
        TRY(board::unlink(change, any_task(), any_task()));
        break;
      case 1:
        TRY(board::create_swarm(change, {.goal = some_text(),
                                         .workers = {{"shell", "a part", {}}, {"shell", "b", {}}},
                                         .verifier = "shell",
                                         .synthesizer = "shell"}));
        break;
      default:
        TRY(board::link(change, any_task(), any_task(), LinkCondition::ended));
    }
    return {};
  });
}

Result<void> Call::write_down() {
  return as(k_person, [&](Change& change) -> Result<void> {
    switch (roll(4)) {
      case 0:
        TRY(board::edit(change, any_task(), {.title = "other words", .body = some_text()}));
        break;
      case 1:
        TRY(board::add_attachment(change, {any_task(), "a.txt", "text/plain", 3, ""}));
        break;
      case 2:
        TRY(board::subscribe(change, {.task_id = any_task(), .target = {"telegram", "1", ""}}));
        break;
      default:
        TRY(board::add_comment(change, any_task(), "", "a word " + some_text()));
    }
    return {};
  });
}

Result<void> Call::put_away() {
  return as(k_person, [&](Change& change) -> Result<void> {
    if (roll(2) == 0) {
      TRY(board::remove_task(change, task_that_is(Status::archived)));
    } else {
      TRY(board::archive(change, task_that_is(Status::done), false));
    }
    return {};
  });
}

Result<void> Call::any() {
  switch (roll(16)) {
    case 0:
    case 1:
    case 2:
      return create();
    case 3:
    case 4:
    case 5:
      return claim();
    case 6:
    case 7:
    case 8:
    case 9:
      return work();
    case 10:
    case 11:
      return decide();
    case 12:
      return connect();
    case 13:
    case 14:
      return write_down();
    default:
      return put_away();
  }
}

bool is_of_the_storage(ErrorCode code) {
  return code == ErrorCode::busy || code == ErrorCode::damaged || code == ErrorCode::schema ||
         code == ErrorCode::unavailable || code == ErrorCode::internal;
}

}  // namespace

Result<void> Workload::call(db::Database& board, int number) const {
  const auto step = static_cast<std::uint64_t>(number);
  const Instant now = k_begin + std::chrono::seconds{number};
  auto done = board.write([&](db::Writer& tx) -> Result<void> {
    Call call(tx, SeededRandom((seed_ << 32) + step).next(), now);
    if (bulk_every_ > 0 && number % bulk_every_ == bulk_every_ / 2) {
      return call.import(bulk_tasks_, k_bulk_body);
    }
    return number < 5 ? call.create() : call.any();
  });
  if (!done && !is_of_the_storage(done.error().code)) {
    return {};
  }
  return done;
}

Result<std::uint64_t> digest_of(db::Database& board) {
  return board.read([](db::Reader& tx) -> Result<std::uint64_t> {
    std::vector<std::string> selects;
    {
      auto row = tx.query(
          "SELECT 'SELECT ' || group_concat('quote(' || c.name || ')', ' || '','' || ') || ' FROM '"
          " || t.name || ' NOT INDEXED' FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
          " WHERE t.type = 'table' AND t.name NOT IN ('sqlite_stat1', 'sqlite_stat4')"
          " GROUP BY t.name ORDER BY t.name");
      while (row.next()) {
        selects.push_back(row.text(0));
      }
    }
    std::uint64_t digest = 0;
    for (const std::string& select : selects) {
      auto row = tx.query(select);
      while (row.next()) {
        digest = digest * 1'099'511'628'211 + std::hash<std::string>{}(row.text(0));
      }
    }
    return digest;
  });
}

}  // namespace hermes::test
