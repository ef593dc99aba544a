#include <fmt/core.h>

#include <algorithm>

#include "board/walk.hpp"
#include "kernel/board/assign.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/gates.hpp"
#include "kernel/board/import.hpp"
#include "kernel/board/notify.hpp"
#include "kernel/board/retention.hpp"

namespace hermes::test {

namespace {

constexpr std::size_t k_most_tasks = 25;  // a small board is walked all over
const std::set<std::string> k_anywhere{"create", "swarm", "link", "comment"};
const std::set<Status> k_queue{Status::ready, Status::review, Status::todo};

bool replaces(const std::map<std::string, std::int64_t>& last_run, const Actor& actor) {
  if (!actor.worker) {
    return false;
  }
  const auto last = last_run.find(actor.worker->task_id);
  return last == last_run.end() || last->second != actor.worker->run_id;
}

}  // namespace

template <class Body>
auto Walk::act(const std::string& name, const Actor& actor, const May& may, Body body) {
  const bool replaced = replaces(last_run_, actor);
  auto result = board_.database->write([&](db::Writer& tx) {
    board::Change change{tx, board_.now, actor, board_.slug, board_.limits, board_.random};
    return body(change);
  });
  const std::string who =
      !actor.worker ? actor.name
                    : fmt::format("run {}{}", actor.worker->run_id, replaced ? " (replaced)" : "");
  trace_.push_back(fmt::format("{:3} {} {} {} by {}: {}", trace_.size() + 1,
                               board_.now.ms % 100'000'000, name, may.target, who,
                               result ? "done" : one_line(result.error()).substr(0, 70)));
  if (result) {
    ++done_[name];
    if (replaced) {
      find("a worker that was replaced was not refused");
    }
    if (actor.worker && actor.worker->task_id != may.target && !k_anywhere.contains(name)) {
      find("a worker has changed what is not its own task");
    }
  }
  check(may, !result);
  return result;
}

bool Walk::step() {
  using Operation = void (Walk::*)();
  static const std::vector<std::pair<Operation, std::uint64_t>> k_operations{
      {&Walk::create, 10},    {&Walk::create_swarm, 1}, {&Walk::import, 1},
      {&Walk::claim, 14},     {&Walk::verdict, 14},     {&Walk::decide, 14},
      {&Walk::review, 8},     {&Walk::put_away, 5},     {&Walk::link, 6},
      {&Walk::write_down, 4}, {&Walk::keep_with, 4},    {&Walk::end_run, 14},
      {&Walk::stop_stale, 2}, {&Walk::wake, 4},         {&Walk::keep_house, 4},
      {&Walk::turn_clock, 2},
  };
  board_.pass(Millis{static_cast<std::int64_t>(roll(4000))});
  Operation chosen = &Walk::create;
  if (!before_.tasks.empty()) {
    std::uint64_t all = 0;
    for (const auto& [operation, weight] : k_operations) {
      all += weight;
    }
    std::uint64_t number = roll(all);
    for (const auto& [operation, weight] : k_operations) {
      if (number < weight) {
        chosen = operation;
        break;
      }
      number -= weight;
    }
  }
  (this->*chosen)();
  return findings_.empty();
}

std::string Walk::any_task() {
  auto task = before_.tasks.begin();
  std::advance(task, static_cast<std::ptrdiff_t>(roll(before_.tasks.size())));
  return task->first;
}

std::optional<Run> Walk::any_run(bool open) {
  std::vector<Run> found;
  for (const auto& [id, run] : runs_) {
    if (!open || (before_.open_runs.contains(run.task_id) && last_run_[run.task_id] == id)) {
      found.push_back(run);
    }
  }
  return found.empty() ? std::nullopt : std::optional(one_of(found));
}

// Mostly a person, often whose run the task is or was, now and then any other run.
Actor Walk::any_actor(const std::string& task) {
  std::vector<Run> replaced;
  for (const auto& [id, run] : runs_) {
    if (run.task_id == task && last_run_[task] != id) {
      replaced.push_back(run);
    }
  }
  const auto last = last_run_.find(task);
  const auto luck = roll(10);
  if (luck < 2 && !replaced.empty()) {
    return board_.worker(one_of(replaced));
  }
  if (luck < 5 && last != last_run_.end()) {
    return board_.worker(runs_.at(last->second));
  }
  return luck == 5 && !runs_.empty() ? board_.worker(*any_run(false)) : board_.person;
}

std::optional<Instant> Walk::some_time() {
  return chance(2)
             ? std::optional(board_.now + Millis{static_cast<std::int64_t>(roll(6000)) - 1000})
             : std::nullopt;
}

void Walk::create() {
  if (before_.tasks.size() >= k_most_tasks) {
    return;
  }
  board::NewTask task;
  task.title = chance(30) ? " " : "a task";
  task.assignee = one_of<std::string>({"shell", "shell", "other", ""});
  task.tenant = one_of<std::string>({"", "x"});
  task.condition = chance(2) ? LinkCondition::done : LinkCondition::ended;
  for (std::uint64_t i = before_.tasks.empty() ? 0 : roll(3); i > 0; --i) {
    task.parents.push_back(any_task());
  }
  switch (roll(8)) {
    case 0:
      task.triage = true;
      break;
    case 1:
      task.blocked = true;
      break;
    case 2:
      task.scheduled = true;
      task.wake_at = some_time();
      break;
    default:
      break;
  }
  if (chance(4)) {
    task.failure_limit = 1;
  }
  if (chance(8)) {
    task.idempotency_key = "key";
  }
  const Actor actor = before_.tasks.empty() ? board_.person : any_actor(any_task());
  act("create", actor, {.creates = true},
      [&](board::Change& change) { return board::create(change, task); });
}

void Walk::create_swarm() {
  if (before_.tasks.size() + 4 > k_most_tasks) {
    return;
  }
  act("swarm", any_actor(any_task()), {.creates = true}, [&](board::Change& change) {
    return board::create_swarm(change, {.goal = "g",
                                        .workers = {{"shell", "w", {}}},
                                        .verifier = "shell",
                                        .synthesizer = "shell"});
  });
}

void Walk::import() {
  const std::string line =
      fmt::format(R"({{"id": "bd-{}", "title": "from elsewhere", "status": "{}"}})", roll(3),
                  one_of<std::string>({"open", "closed", "in_progress", "blocked"}));
  act("import", any_actor(any_task()), {.creates = true},
      [&](board::Change& change) -> Result<board::ImportReport> {
        TRY_ASSIGN(board::ImportedBoard board, board::read_json_lines(line, change.now));
        board::admit(board);
        return board::carry_out(
            change, board::plan_import(change.tx, std::move(board), change.now, change.limits));
      });
}

void Walk::claim() {
  const std::string id = any_task();
  const bool outside = chance(3);
  const board::ClaimRequest request{outside ? HolderKind::external : HolderKind::dispatcher,
                                    one_of<std::string>({"shell", "other"}),
                                    board_.host,
                                    "h",
                                    Millis{static_cast<std::int64_t>(roll(5000))},
                                    {},
                                    {}};
  const auto run =
      act(outside ? "claim by hand" : "claim", chance(6) ? any_actor(id) : board_.person,
          {.target = id, .to = {Status::running}},
          [&](board::Change& change) { return board::claim(change, id, request); });
  if (!run) {
    return;
  }
  runs_.emplace(run->id, *run);
  last_run_[id] = run->id;
  if (!outside && !chance(8)) {
    act("record its shim", board_.person, {.target = id}, [&](board::Change& change) {
      board::record_worker(change, run->id, 7, 7);
      return Result<bool>(board::record_shim(change, *run, 4711, 99));
    });
  }
}

void Walk::verdict() {
  const auto open = any_run(true);
  const std::string id = open && !chance(4) ? open->task_id : any_task();
  const Actor actor = any_actor(id);
  const std::optional<std::string> reason =
      chance(2) ? std::optional<std::string>("because") : std::nullopt;
  switch (roll(4)) {
    case 0: {
      const board::Handoff handoff{reason, {}, chance(4) ? reason : std::nullopt};
      act("complete", actor, {.target = id, .to = {Status::done}, .frees = true},
          [&](board::Change& change) { return board::complete(change, id, handoff, chance(2)); });
      break;
    }
    case 1:
    case 2: {
      const auto kind = one_of<std::optional<BlockKind>>(
          {std::nullopt, BlockKind::needs_input, BlockKind::transient, BlockKind::dependency});
      act("block", actor, {.target = id, .to = {Status::blocked, Status::todo, Status::triage}},
          [&](board::Change& change) { return board::block(change, id, kind, reason); });
      break;
    }
    default:
      act("heartbeat", actor, {.target = id},
          [&](board::Change& change) { return board::heartbeat(change, id, reason); });
  }
}

void Walk::decide() {
  const std::string id = any_task();
  const Actor actor = any_actor(id);
  switch (roll(5)) {
    case 0:
      act("unblock", actor, {.target = id, .to = k_queue},
          [&](board::Change& change) { return board::unblock(change, id, "go on", chance(2)); });
      break;
    case 1:
      act("promote", actor, {.target = id, .to = {Status::ready, Status::review}},
          [&](board::Change& change) { return board::promote(change, id, {}, chance(4)); });
      break;
    case 2: {
      const auto wake_at = some_time();
      act("schedule", actor, {.target = id, .to = {Status::scheduled}},
          [&](board::Change& change) { return board::schedule(change, id, wake_at, "later"); });
      break;
    }
    case 3:
      act("reclaim", actor, {.target = id, .to = k_queue},
          [&](board::Change& change) { return board::reclaim(change, id, "mine"); });
      break;
    default: {
      const board::Assignment to{one_of<std::string>({"shell", "other", ""}), chance(2), "better"};
      act("assign", actor, {.target = id, .to = k_queue},
          [&](board::Change& change) { return board::assign(change, id, to); });
    }
  }
}

void Walk::review() {
  const auto open = any_run(true);
  const std::string id = open && chance(2) ? open->task_id : any_task();
  const Actor actor = any_actor(id);
  switch (roll(3)) {
    case 0:
      act("request-review", actor, {.target = id, .to = {Status::review, Status::todo}},
          [&](board::Change& change) { return board::request_review(change, id, "look"); });
      break;
    case 1:
      act("request-changes", actor, {.target = id, .to = {Status::ready, Status::todo}},
          [&](board::Change& change) { return board::request_changes(change, id, {}); });
      break;
    default:
      act("reopen-review", actor,
          {.target = id, .to = {Status::review, Status::todo}, .reopens = true},
          [&](board::Change& change) { return board::reopen_review(change, id, "doubt"); });
  }
}

void Walk::put_away() {
  const std::string id = any_task();
  const Actor actor = any_actor(id);
  if (chance(2)) {
    act("archive", actor, {.target = id, .to = {Status::archived}, .frees = true},
        [&](board::Change& change) { return board::archive(change, id, chance(2)); });
    return;
  }
  const auto removed = act("delete", actor, {.target = id, .removes = true},
                           [&](board::Change& change) { return board::remove_task(change, id); });
  if (removed) {
    last_run_.erase(id);
    std::erase_if(runs_, [&](const auto& entry) { return entry.second.task_id == id; });
  }
}

void Walk::link() {
  const std::string parent = any_task();
  const std::string child = any_task();
  const auto condition = chance(2) ? LinkCondition::done : LinkCondition::ended;
  if (chance(3)) {
    act("unlink", any_actor(child),
        {.target = child, .to = {Status::ready, Status::review}, .unlinks = parent},
        [&](board::Change& change) -> Result<bool> {
          TRY(board::unlink(change, parent, child));
          return true;
        });
  } else {
    act("link", any_actor(child), {.target = child, .to = {Status::todo}},
        [&](board::Change& change) { return board::link(change, parent, child, condition); });
  }
}

void Walk::write_down() {
  const std::string id = any_task();
  const Actor actor = any_actor(id);
  switch (roll(3)) {
    case 0: {
      board::Edit edit{.title = chance(2) ? "other words" : "a task",
                       .priority = static_cast<std::int64_t>(roll(3))};
      if (chance(2)) {
        edit.summary = "said later";
      }
      act("edit", actor, {.target = id},
          [&](board::Change& change) { return board::edit(change, id, edit); });
      break;
    }
    case 1:
      act("set-model", actor, {.target = id}, [&](board::Change& change) {
        return board::set_model(change, id, {.model = chance(2) ? "m" : "", .provider = ""});
      });
      break;
    default: {
      const auto comment = act("comment", actor, {.target = id}, [&](board::Change& change) {
        return board::add_comment(change, id, "", chance(10) ? " " : "hello");
      });
      if (comment) {
        comments_.emplace(*comment, id);
      }
    }
  }
}

void Walk::keep_with() {
  const std::string id = any_task();
  const Actor actor = any_actor(id);
  const board::Target chat{"telegram", "1", ""};
  const auto told = chance(2) ? std::nullopt : std::optional(id);
  switch (roll(4)) {
    case 0: {
      const auto attached = act("attach", actor, {.target = id}, [&](board::Change& change) {
        return board::add_attachment(change, {id, "a.txt", "text/plain", 3, ""});
      });
      if (attached) {
        attachments_.emplace(attached->id, id);
      }
      break;
    }
    case 1: {
      if (attachments_.empty()) {
        break;
      }
      const auto [number, owner] = *attachments_.begin();
      attachments_.erase(number);
      const std::int64_t attachment = number;
      const auto removed =
          act("attach-rm", any_actor(owner), {.target = owner},
              [&](board::Change& change) { return board::remove_attachment(change, attachment); });
      if (!removed) {
        attachments_.emplace(attachment, owner);
      }
      break;
    }
    case 2:
      act("notify-subscribe", actor, {.target = id}, [&](board::Change& change) {
        return board::subscribe(change, {.task_id = told, .target = chat});
      });
      break;
    default:
      act("notify-unsubscribe", actor, {.target = id}, [&](board::Change& change) -> Result<bool> {
        TRY(board::unsubscribe(change, told, chat));
        return true;
      });
  }
}

void Walk::end_run() {
  const auto run = any_run(!chance(4));
  if (!run) {
    return;
  }
  const May may{.target = run->task_id,
                .to = {Status::done, Status::ready, Status::review, Status::todo, Status::blocked,
                       Status::archived},
                .frees = true};
  if (run->holder_kind == HolderKind::external || chance(10)) {
    act("expire the claim", board_.person, may,
        [&](board::Change& change) { return Result<bool>(board::expire_claim(change, run->id)); });
    return;
  }
  ExitFacts exit;
  exit.kind = chance(2) ? ExitKind::exited : static_cast<ExitKind>(roll(k_words<ExitKind>.size()));
  exit.code = one_of<int>({0, 0, 1, 3, 75});
  exit.last_output = one_of<std::string>({"", "said something"});
  const auto mode = chance(2) ? VerdictMode::by_call : VerdictMode::by_exit_code;
  trace_.push_back(fmt::format("    run {} of {}: {} {}, {}", run->id, run->task_id,
                               to_word(exit.kind), exit.code, to_word(mode)));
  act("end the run", board_.person, may, [&](board::Change& change) {
    return Result<bool>(board::finish_run(change, run->id, exit, mode));
  });
}

void Walk::stop_stale() {
  const auto run = any_run(true);
  if (run && run->holder_kind != HolderKind::external) {
    act("stop as stale", board_.person, {.target = run->task_id}, [&](board::Change& change) {
      board::intend_stop(change, *run, StopKind::stale, std::nullopt);
      return Result<bool>(true);
    });
  }
}

void Walk::wake() {
  for (const std::string& due : board_.due()) {
    act("wake", board_.person, {.target = due, .to = k_queue},
        [&](board::Change& change) { return Result<bool>(board::wake_task(change, due)); });
  }
}

void Walk::keep_house() {
  const std::string id = any_task();
  switch (roll(6)) {
    case 0:
      act("prune events", board_.person, {.target = id}, [&](board::Change& change) {
        return Result<std::int64_t>(board::prune_events(change.tx, id, change.now - Millis{5000},
                                                        1 + static_cast<std::int64_t>(roll(20))));
      });
      break;
    case 1:
      act("resume the profile", any_actor(id), {},
          [&](board::Change& change) { return board::resume_profile(change, "shell"); });
      break;
    case 2:
      act("take the board over", board_.person, {}, [&](board::Change& change) {
        return Result<std::int64_t>(board::take_over(change, "somebody"));
      });
      break;
    case 3:
      act("vacate the board", board_.person, {}, [&](board::Change& change) {
        board::vacate(change, static_cast<std::int64_t>(roll(3)), "over");
        return Result<bool>(true);
      });
      break;
    case 4:
      act("rebase the clock", board_.person, {}, [&](board::Change& change) {
        board::rebase_clock(change);
        return Result<bool>(true);
      });
      break;
    default:
      if (chance(5)) {
        act("abort all runs", board_.person, {.ends_all = true}, [&](board::Change& change) {
          return Result<std::int64_t>(board::abort_runs(change, "a copy"));
        });
      }
  }
}

// Someone sets the clock, or a laptop was asleep.
void Walk::turn_clock() {
  const auto by = Millis{static_cast<std::int64_t>(roll(7'200'000))};
  board_.now = chance(2) ? board_.now + by : board_.now - by;
  trace_.push_back(fmt::format("    the clock says {}", board_.now.ms % 100'000'000));
}

}  // namespace hermes::test
