#include "kernel/board/swarm.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

namespace {

constexpr std::size_t k_goal_in_title = 200;

Result<void> not_blank(std::string_view what, std::string_view text) {
  if (trim(text).empty()) {
    return fail(ErrorCode::invalid, fmt::format("{} is blank", what), "nothing was created");
  }
  return {};
}

Result<void> check(const SwarmRequest& request) {
  TRY(not_blank("the goal", request.goal));
  TRY(check_text("the goal", request.goal, k_text_bytes));
  TRY(not_blank("the verifier", request.verifier));
  TRY(not_blank("the synthesizer", request.synthesizer));
  if (request.workers.empty()) {
    return fail(ErrorCode::usage, "a swarm needs a worker", "give --worker PROFILE:TITLE");
  }
  if (request.workers.size() > k_most_parents) {
    return fail(ErrorCode::invalid,
                fmt::format("{} workers, the limit is {}", request.workers.size(), k_most_parents),
                "make several swarms");
  }
  for (const SwarmWorker& worker : request.workers) {
    TRY(not_blank("the profile of a worker", worker.profile));
    TRY(check_assignee(worker.profile));
    TRY(not_blank(fmt::format("the title for '{}'", printable(worker.profile)), worker.title));
    TRY(check_title(worker.title));
  }
  TRY(check_assignee(request.verifier));
  TRY(check_assignee(request.synthesizer));
  TRY(check_priority(request.priority));
  return check_key(request.idempotency_key);
}

// The goal on one line, for titles.
std::string short_goal(const SwarmRequest& request) {
  return std::string(clip(first_line(trim(request.goal)), k_goal_in_title));
}

Result<std::string> create_card(Change& change, const SwarmRequest& request,
                                const SwarmWorker& card, const std::string& body,
                                std::vector<std::string> parents) {
  NewTask task;
  task.title = card.title;
  task.body = body;
  task.assignee = card.profile;
  task.assignee_given = true;
  task.parents = std::move(parents);
  task.tenant = request.tenant;
  task.priority = request.priority;
  task.created_by = request.created_by;
  task.origin = request.origin;
  task.skills = card.skills;
  TRY_ASSIGN(const Created created, create(change, task));
  return created.task.id;
}

std::string protocol(const SwarmRequest& request, const std::string& root, std::string_view part) {
  return fmt::format(
      "Part of the swarm of {0}.\n\nGoal:\n{1}\n\n{2}\n\n`hermes kanban show {0}` is the "
      "blackboard of all of them, and `hermes kanban comment {0} TEXT` writes on it. End with "
      "`hermes kanban complete` and a summary: the tasks that wait for this one are given it.\n",
      root, trim(request.goal), part);
}

std::optional<Task> live_root(db::Reader& tx, const std::optional<std::string>& key) {
  if (!key) {
    return std::nullopt;
  }
  auto row =
      tx.query("SELECT id FROM tasks WHERE idempotency_key = $1 AND status <> 'archived'", *key);
  return row.next() ? find_task(tx, row.text(0)) : std::nullopt;
}

bool is_text(const nlohmann::json& value) { return value.is_string(); }

// What the blackboard of a swarm says of it; nothing when somebody else has written something
// there.
std::optional<Swarm> topology_of(const nlohmann::json& board) {
  const auto topology = board.is_object() ? board.value("topology", nlohmann::json()) : board;
  if (!topology.is_object()) {
    return std::nullopt;
  }
  const auto workers = topology.value("worker_ids", nlohmann::json());
  const auto verifier = topology.value("verifier_id", nlohmann::json());
  const auto synthesizer = topology.value("synthesizer_id", nlohmann::json());
  if (!workers.is_array() || !std::ranges::all_of(workers, is_text) || !is_text(verifier) ||
      !is_text(synthesizer)) {
    return std::nullopt;
  }
  return Swarm{.worker_ids = workers.get<std::vector<std::string>>(),
               .verifier_id = verifier.get<std::string>(),
               .synthesizer_id = synthesizer.get<std::string>(),
               .existing = true};
}

Result<Swarm> stored_swarm(db::Reader& tx, const Task& root) {
  for (const Comment& comment : comments_of(tx, root.id)) {
    if (!comment.body.starts_with(k_blackboard)) {
      continue;
    }
    const auto board = parse_json<nlohmann::json>(comment.body.substr(k_blackboard.size()));
    if (auto swarm = topology_of(board)) {
      swarm->root_id = root.id;
      swarm->goal = root.body.value_or("");
      return *std::move(swarm);
    }
    break;
  }
  return fail(ErrorCode::conflict,
              fmt::format("the idempotency key '{}' belongs to {}, which is no swarm",
                          printable(root.idempotency_key.value_or("")), root.id),
              "choose another key");
}

Result<std::string> create_root(Change& change, const SwarmRequest& request) {
  NewTask task;
  task.title = "Swarm: " + short_goal(request);
  task.body = std::string(trim(request.goal));
  task.assignee = request.created_by;
  task.tenant = request.tenant;
  task.priority = request.priority;
  task.created_by = request.created_by;
  task.origin = request.origin;
  task.idempotency_key = request.idempotency_key;
  TRY_ASSIGN(Created created, create(change, task));
  const std::string summary =
      fmt::format("{} workers, a verifier and a synthesizer", request.workers.size());
  const auto run =
      record_zero_run(change, created.task, {.outcome = Outcome::completed, .summary = summary});
  finish_task(change, created.task, run, {.summary = summary, .result = std::nullopt});
  return created.task.id;
}

}  // namespace

Result<Swarm> create_swarm(Change& change, const SwarmRequest& request) {
  TRY(check(request));
  if (const auto root = live_root(change.tx, request.idempotency_key)) {
    return stored_swarm(change.tx, *root);
  }
  Swarm swarm;
  TRY_ASSIGN(swarm.root_id, create_root(change, request));
  for (const SwarmWorker& worker : request.workers) {
    const std::string part =
        fmt::format("Your part is \"{}\". Leave the rest to the others.", trim(worker.title));
    TRY_ASSIGN(std::string id,
               create_card(change, request, worker, protocol(request, swarm.root_id, part),
                           {swarm.root_id}));
    swarm.worker_ids.push_back(std::move(id));
  }
  TRY_ASSIGN(
      swarm.verifier_id,
      create_card(change, request, {request.verifier, "Verify: " + short_goal(request), {}},
                  protocol(request, swarm.root_id,
                           "Verify what the workers did against the goal. Completing this task "
                           "releases the synthesizer, so block it when the work does not hold."),
                  swarm.worker_ids));
  TRY_ASSIGN(
      swarm.synthesizer_id,
      create_card(
          change, request, {request.synthesizer, "Synthesize: " + short_goal(request), {}},
          protocol(request, swarm.root_id, "Put the verified parts together into one result."),
          {swarm.verifier_id}));
  const nlohmann::json board{{"topology",
                              {{"root_id", swarm.root_id},
                               {"worker_ids", swarm.worker_ids},
                               {"verifier_id", swarm.verifier_id},
                               {"synthesizer_id", swarm.synthesizer_id}}}};
  TRY(add_comment(change, swarm.root_id, change.actor.name,
                  std::string(k_blackboard) + dump(board)));
  return swarm;
}

}  // namespace hermes::board
