#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "kernel/board/change.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

// Private to kernel/board: rows to values and back, and the one function that changes a task's
// status.
namespace hermes::board {

// SELECT lists for read_task and read_run. `t` is the alias of tasks, `r` that of runs.
extern const std::string k_task_columns;
extern const std::string k_run_columns;
Task read_task(const db::Cursor& row);
Run read_run(const db::Cursor& row);

// The columns that moves change, all in one statement, because several are paired by CHECK
// constraints.
void save_task(Change& change, Task& task);

// Moves the task and writes its one event, with "from" and "to" added to `payload`. Keeps what
// follows from a status: ready_since and eligible_at, completed_at, wake_at, block fields, the loop
// breaker's memory (zeroed by leaving triage and by done), what a planner failed at in triage.
// Entering running needs `run_id`, which becomes current_run_id. Then satisfies the links that the
// new status satisfies.
void move_task(Change& change, Task& task, Status to, EventKind kind, const nlohmann::json& payload,
               std::optional<std::int64_t> run_id);

// "→ ready": ready, review or todo, as rules::requeue_target says.
void requeue_task(Change& change, Task& task, EventKind kind, const nlohmann::json& payload,
                  std::optional<std::int64_t> run_id);

// A task starts afresh in the eyes of the breaker.
void reset_breaker(Task& task);

std::string dump(const nlohmann::json& value);

}  // namespace hermes::board
