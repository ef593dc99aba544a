#include <fmt/core.h>

#include <charconv>

#include "kernel/base/process_facts.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/why.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/profiles.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

template <class T>
Json number_or_null(const std::optional<T>& number) {
  return number ? Json(*number) : Json(nullptr);
}

// A run's number, else a task: its open run, or its last one.
Result<Run> run_meant(db::Reader& tx, const std::string& given) {
  std::int64_t number = 0;
  const char* const end = given.data() + given.size();
  if (const auto [at, problem] = std::from_chars(given.data(), end, number);
      problem == std::errc{} && at == end) {
    if (const auto run = board::find_run(tx, number)) {
      return *run;
    }
    if (given.size() < 3) {  // too short to be meant as the beginning of a task's id
      return fail(ErrorCode::not_found, fmt::format("there is no run {}", number),
                  "`hermes kanban runs ID` lists those of a task");
    }
  }
  TRY_ASSIGN(const std::string id, board::resolve_id(tx, given));
  TRY_ASSIGN(const Task task, board::get_task(tx, id));
  if (task.current_run_id) {
    return *board::find_run(tx, *task.current_run_id);
  }
  const auto runs = board::runs_of(tx, id);
  if (runs.empty()) {
    return fail(ErrorCode::not_found, fmt::format("{} has never been started", id),
                fmt::format("`hermes kanban why {}` names what holds it", id));
  }
  return runs.back();
}

Json lease_json(db::Reader& tx, const Run& run) {
  auto row = tx.query(
      "SELECT holder, acquired_at, renewed_at, expires_at FROM leases WHERE resource = $1 AND "
      "epoch "
      "= $2",
      "task:" + run.task_id, run.id);
  if (!row.next()) {
    return nullptr;
  }
  return {{"holder", row.text(0)},
          {"acquired_at_ms", row.integer(1)},
          {"renewed_at_ms", row.integer(2)},
          {"expires_at_ms", ms_or_null(row.maybe_instant(3))}};
}

std::string state_word(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "waiting for a disk";
    case 'T':
    case 't':
      return "stopped";
    case 'I':
      return "idle";
    default:
      return std::string(1, state);
  }
}

Json process_json(std::optional<std::int64_t> pid, std::optional<std::int64_t> start, Instant now,
                  bool with_argv) {
  if (!pid || !start) {
    return nullptr;
  }
  const auto facts = look_at_process(static_cast<pid_t>(*pid), static_cast<std::uint64_t>(*start));
  if (!facts) {
    return nullptr;
  }
  Json out{{"pid", *pid},
           {"started_at", (now - Millis{facts->age_ms}).seconds()},
           {"age_ms", facts->age_ms},
           {"state", state_word(facts->state)},
           {"cpu_ms", facts->cpu_ms},
           {"rss_bytes", facts->rss_bytes},
           {"threads", facts->threads},
           {"descendants", facts->descendants},
           {"open_files", number_or_null(facts->open_files)},
           {"cwd", or_null(facts->cwd)},
           {"command", facts->command}};
  if (with_argv) {
    out["argv"] = facts->argv;
  }
  return out;
}

Json limits_json(const OpenBoard& open, const Task& task, const Run& run) {
  const home::Profile profile =
      home::load_profile(open.home, run.profile).value_or(home::Profile{});
  const auto runtime = task.max_runtime ? task.max_runtime : profile.max_runtime;
  const Limits& limits = open.config.limits;
  Json out{{"max_runtime_ms", runtime ? Json(runtime->count()) : Json(nullptr)},
           {"stale_timeout_ms", limits.stale_timeout.count()},
           {"heartbeat_gap_ms", limits.heartbeat_gap.count()},
           {"stop_grace_ms", limits.stop_grace.count()}};
  out.update(limits_of_profile(profile));
  return out;
}

}  // namespace

Result<Answer> inspect(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_with_config(call));
  std::optional<Task> task;
  Json lease;
  TRY_ASSIGN(const Run run, open.database.read([&](db::Reader& tx) -> Result<Run> {
    TRY_ASSIGN(Run found, run_meant(tx, call.values.text_or("target", "")));
    TRY_ASSIGN(task, board::get_task(tx, found.task_id));
    lease = lease_json(tx, found);
    return found;
  }));
  const HostIdentity host = call.host.identity();
  const bool here = run.host == host.machine && run.boot == host.boot;
  const bool look = here && !run.gone_at && run.holder_kind != HolderKind::external;
  const Instant now = call.environment.now;
  Answer answer;
  answer.value = {
      {"task_id", run.task_id},
      {"title", task->title},
      {"run", run_json(run)},
      {"here", here},
      {"process",
       look ? process_json(run.worker_pid, run.worker_start, now, call.values.flag("argv"))
            : Json(nullptr)},
      {"supervisor", look ? process_json(run.shim_pid, run.shim_start, now, false) : Json(nullptr)},
      {"lease", std::move(lease)},
      {"limits", limits_json(open, *task, run)}};
  answer.people = {{"now_ms", now.ms}};
  return answer;
}

}  // namespace hermes::verbs
