#include "conformance/scene.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "cli/parse.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/notify.hpp"
#include "kernel/board/retention.hpp"
#include "kernel/board/review.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/schedule.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::test::conformance {

namespace {

const std::string k_board = "default";

Actor worker(const Run& run) {
  return {"shell", WorkerIdentity{k_board, run.task_id, run.id, run.token}};
}

const Actor& person() {
  static const Actor k_person{"ann", std::nullopt};
  return k_person;
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error("the scene cannot be set: " + one_line(result.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

db::Database open_board(const VerbRig& rig) {
  return must(db::Database::open(home::files_of(rig.home().board(k_board)),
                                 db::Database::Access::write, rig.environment.now));
}

// What a call has made of a run.
std::string effect(const std::optional<Run>& before, const Run& after) {
  const bool told = after.stop_kind && !(before && before->stop_kind);
  if (!before) {
    return after.ended_at ? fmt::format("kept as {}", to_word(*after.outcome)) : "opened";
  }
  if (!before->ended_at && after.ended_at) {
    return fmt::format("closed as {}{}", to_word(*after.outcome), told ? ", stopped" : "");
  }
  return told ? "told to stop" : "";
}

}  // namespace

Status status_of(Place place) {
  switch (place) {
    case Place::by_hand:
    case Place::reviewing:
      return Status::running;
    default:
      return *from_word<Status>(to_word(place));
  }
}

Scene::Scene() : rig_(TempDir::Storage::memory), database_(open_board(rig_)) {
  rig_.host.input = "a note\n";
  std::ofstream(rig_.home().config()) << "[planner]\ncommand = [\"sh\"]\n";
  rig_.host.on_child = [](const home::ChildCommand& planner) {
    home::ChildEnd end;
    end.out = planner.input.find("\"decompose\"") != std::string::npos
                  ? R"({"fanout": true, "children": [{"title": "a part"}]})"
                  : R"({"title": "better"})";
    return end;
  };
  rig_.host.on_run = [this]() -> Result<int> {
    finish_what_was_told_to_stop();
    return 0;
  };
}

template <class Body>
auto Scene::write(const Actor& actor, Body body) {
  const Limits limits;
  rig_.environment.now.ms += 1000;
  return must(database_.write([&](db::Writer& tx) {
    board::Change change{tx, rig_.environment.now, actor, k_board, limits, random_};
    return body(change);
  }));
}

template <class Body>
auto Scene::read(Body body) {
  return must(
      database_.read([&](db::Reader& tx) -> Result<decltype(body(tx))> { return body(tx); }));
}

Run Scene::start(const std::string& id, bool by_hand) {
  const Run run = write(person(), [&](board::Change& change) -> Result<Run> {
    board::ClaimRequest request;
    request.holder_kind = by_hand ? HolderKind::external : HolderKind::dispatcher;
    request.profile = "shell";
    request.host = rig_.host.identity();
    request.holder = "test";
    request.ttl = std::chrono::hours{1};
    auto claimed = board::claim(change, id, request);
    if (claimed && !by_hand && !board::record_shim(change, *claimed, 4711, 99)) {
      return fail(ErrorCode::internal, "the shim is not recorded");
    }
    return claimed;
  });
  if (!by_hand) {
    const auto log = rig_.home().board(k_board).log(id, run.attempt);
    std::filesystem::create_directories(log.parent_path());
    std::ofstream(log) << "at work\n";
  }
  return run;
}

void Scene::finish(const Run& run) {
  write(person(), [&](board::Change& change) -> Result<bool> {
    return board::finish_run(change, run.id, {.kind = ExitKind::never_started},
                             VerdictMode::by_call);
  });
}

// As the dispatcher does, which every call waits for.
void Scene::finish_what_was_told_to_stop() {
  write(person(), [&](board::Change& change) -> Result<bool> {
    for (const Run& run : board::runs_not_gone(change.tx)) {
      if (run.stop_kind) {
        board::finish_run(change, run.id, {.kind = ExitKind::signaled, .code = 15},
                          VerdictMode::by_call);
      }
    }
    return true;
  });
}

// By what its worker does, and a person where a worker cannot. The run that it answers is the last
// one; the process of it is still there.
Run Scene::lead_to(const std::string& id, const std::string& parent, Place place) {
  Run run = start(id, place == Place::by_hand);
  const auto as_worker = [&](auto move) { write(worker(run), move); };
  const auto block = [&](std::optional<BlockKind> kind) {
    as_worker([&](board::Change& change) { return board::block(change, id, kind, "stuck"); });
  };
  const auto unblock = [&] {
    write(person(), [&](board::Change& change) { return board::unblock(change, id, {}, false); });
  };
  const auto complete = [&] {
    as_worker([&](board::Change& change) {
      return board::complete(change, id, {.summary = "made"}, false);
    });
  };
  const auto hand_over = [&] {
    as_worker([&](board::Change& change) { return board::request_review(change, id, {}); });
  };
  switch (place) {
    case Place::running:
    case Place::by_hand:
      break;
    case Place::triage:
      block(BlockKind::needs_input);
      unblock();
      finish(run);
      run = start(id);
      block(BlockKind::needs_input);
      break;
    case Place::todo:
      as_worker([&](board::Change& change) {
        return board::link(change, parent, id, LinkCondition::done);
      });
      block(BlockKind::dependency);
      break;
    case Place::scheduled:
      as_worker([&](board::Change& change) { return board::schedule(change, id, {}, {}); });
      break;
    case Place::ready:
      block(BlockKind::needs_input);
      unblock();
      break;
    case Place::reviewing:
      hand_over();
      finish(run);
      run = start(id);
      break;
    case Place::blocked:
      block(BlockKind::needs_input);
      break;
    case Place::review:
      hand_over();
      break;
    case Place::done:
      complete();
      break;
    case Place::archived:
      complete();
      write(person(), [&](board::Change& change) { return board::archive(change, id, false); });
      break;
  }
  return run;
}

Scene::Cast Scene::prepare(Caller caller, Place place) {
  Cast cast;
  const auto create = [&](std::vector<std::string> parents = {}) {
    return write(person(),
                 [&](board::Change& change) {
                   return board::create(
                       change,
                       {.title = "a task", .assignee = "shell", .parents = std::move(parents)});
                 })
        .task.id;
  };
  const std::string parent = cast.names["PARENT"] = create();
  if (place != Place::todo) {
    write(person(),
          [&](board::Change& change) { return board::complete(change, parent, {}, false); });
  }
  const std::string id = cast.names["TASK"] =
      create(place == Place::todo ? std::vector<std::string>{} : std::vector{parent});
  cast.names["CHILD"] = create({id});
  cast.names["OTHER"] = create();
  const auto attached = write(person(), [&](board::Change& change) {
    return board::add_attachment(change, {id, "old.txt", "text/plain", 3, "ann"});
  });
  cast.names["ATTACHMENT"] = std::to_string(attached.id);
  write(person(), [&](board::Change& change) {
    return board::subscribe(change, {.task_id = id, .target = {"telegram", "1", ""}});
  });

  std::optional<Run> replaced;
  if (caller == Caller::replaced_worker) {
    replaced = start(id);
    finish(*replaced);
  }
  const Run last = lead_to(id, parent, place);
  if (last.task_id != id ||
      read([&](db::Reader& tx) { return board::get_task(tx, id)->status; }) != status_of(place)) {
    throw std::runtime_error(fmt::format("{} is not reached", to_word(place)));
  }
  if (caller != Caller::its_worker && status_of(place) != Status::running) {
    finish(last);
  }
  cast.identity = caller == Caller::its_worker     ? std::optional(last)
                  : caller == Caller::other_worker ? std::optional(start(create()))
                                                   : replaced;
  return cast;
}

// Everything that the board holds, as text.
std::string Scene::rows() {
  return read([](db::Reader& tx) {
    std::vector<std::string> selects;
    {
      auto row = tx.query(
          "SELECT 'SELECT ' || group_concat('quote(' || c.name || ')', ' || '','' || ') || ' FROM "
          "' || t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
          " WHERE t.type = 'table' GROUP BY t.name ORDER BY t.name");
      while (row.next()) {
        selects.push_back(row.text(0));
      }
    }
    std::string all;
    for (const std::string& select : selects) {
      auto row = tx.query(select);
      while (row.next()) {
        all += row.text(0) + "\n";
      }
    }
    return all;
  });
}

void Scene::act(const std::string& call, const Cast& cast, Cell& cell) {
  std::vector<std::string> words{"kanban"};
  std::istringstream in(call);
  for (std::string word; in >> word;) {
    const auto name = cast.names.find(word);
    words.push_back(name == cast.names.end() ? word : name->second);
  }
  auto request = cli::parse(words);
  if (!request || request->verb == nullptr) {
    throw std::runtime_error(fmt::format("`{}` is no call: {}", call,
                                         request ? "it names no verb" : request.error().reason));
  }
  auto& variables = rig_.environment.variables;
  const auto before = variables;
  if (const auto& run = cast.identity) {
    variables["HERMES_KANBAN_BOARD"] = k_board;
    variables["HERMES_KANBAN_TASK"] = run->task_id;
    variables["HERMES_KANBAN_RUN_ID"] = std::to_string(run->id);
    variables["HERMES_KANBAN_RUN_TOKEN"] = run->token;
    variables["HERMES_PROFILE"] = run->profile;
  }
  const auto answer = rig_.call(*request->verb, std::move(request->values));
  variables = before;
  if (!answer) {
    cell.exit_status = traits(answer.error().code).exit_status;
    cell.refusal = traits(answer.error().code).name;
  } else {
    cell.exit_status = answer->exit_status;
    cell.refusal =
        answer->failures.empty() ? "" : std::string(traits(answer->failures[0].code).name);
  }
}

Cell Scene::look(const std::string& call, Caller caller, Place place) {
  const Cast cast = prepare(caller, place);
  const std::string id = cast.names.at("TASK");
  Cell cell{.call = call, .caller = caller, .place = place};
  const std::string before = rows();
  const auto runs = [&](db::Reader& tx) {
    std::map<std::int64_t, Run> found;
    auto row = tx.query("SELECT id FROM runs");
    while (row.next()) {
      const std::int64_t run = row.integer(0);
      found.emplace(run, *board::find_run(tx, run));
    }
    return found;
  };
  const auto runs_before = read(runs);
  const std::int64_t last = read([](db::Reader& tx) { return board::last_event(tx); });
  act(call, cast, cell);
  cell.changed = rows() != before;
  read([&](db::Reader& tx) {
    const auto task = board::find_task(tx, id);
    cell.to = task ? std::optional(task->status) : std::nullopt;
    for (const auto& [number, run] : runs(tx)) {
      const auto known = runs_before.find(number);
      const bool is_new = known == runs_before.end();
      cell.opened += is_new && !run.ended_at ? 1 : 0;
      const std::string what = effect(is_new ? std::nullopt : std::optional(known->second), run);
      if (!what.empty()) {
        cell.runs.push_back(run.task_id == id ? what : "of another task: " + what);
      }
    }
    for (const auto& watched : board::events_after(tx, last, 1000, {}).events) {
      const Event& event = watched.event;
      const auto name = std::ranges::find_if(
          cast.names, [&](const auto& entry) { return entry.second == event.task_id; });
      const std::string of = !event.task_id             ? "board"
                             : name == cast.names.end() ? "new"
                                                        : to_lower(name->first);
      cell.events.push_back(of == "task" ? event.kind : of + ": " + event.kind);
    }
    cell.broken = board::check_invariants(tx);
    return true;
  });
  return cell;
}

}  // namespace hermes::test::conformance
