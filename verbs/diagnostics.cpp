#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "kernel/board/diagnostics.hpp"
#include "kernel/board/gates.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/why.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/handlers.hpp"
#include "verbs/health.hpp"
#include "verbs/holds.hpp"
#include "verbs/planner.hpp"
#include "verbs/programs.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

rules::DiagnosticContext context_of(const OpenBoard& open, const Call& call) {
  return {.now = call.environment.now,
          .limits = open.config.limits,
          .planning = open.config.planner.limits,
          .thresholds = {},
          .board = call.board ? " --board " + open.paths.slug : ""};
}

// What the files of the home say of it.
rules::ProfileHealth profile_health(const OpenBoard& open, const Call& call,
                                    const std::string& name, std::int64_t waiting,
                                    const std::optional<rules::Gate>& gate) {
  rules::ProfileHealth health{.name = name, .waiting = waiting, .problem = "", .gate = gate};
  const auto profile = home::load_profile(open.home, name);
  if (profile) {
    health.problem = problem_of_command(profile->command.front(), call.environment.variable("PATH"))
                         .value_or("");
  } else {
    health.exists = profile.error().code == ErrorCode::invalid;
    health.problem = profile.error().message;
  }
  return health;
}

// Why the planner cannot be asked, where it is to be asked without a person.
std::optional<std::string> planner_problem(const OpenBoard& open, const Call& call) {
  if (open.config.planner.automatic == AutoPlan::off) {
    return std::nullopt;
  }
  const auto checked = check_planner(call, open);
  return checked ? std::nullopt : std::optional(checked.error().message);
}

// What concerns no single task: profiles that tasks wait for, and the dispatcher.
Result<std::vector<rules::Diagnostic>> diagnose_board(OpenBoard& open, const Call& call,
                                                      const rules::DiagnosticContext& context) {
  std::map<std::string, std::int64_t> waiting;
  std::map<std::string, rules::Gate> gates;
  std::int64_t triaged = 0;
  TRY(open.database.read([&](db::Reader& tx) -> Result<void> {
    waiting = board::waiting_by_profile(tx, context.limits);
    gates = board::shut_gates(tx);
    triaged = board::count_triaged(tx);
    return {};
  }));
  for (const auto& [name, gate] : gates) {
    waiting.try_emplace(name, 0);
  }
  std::vector<rules::Diagnostic> found;
  std::int64_t startable = 0;
  for (const auto& [name, number] : waiting) {
    const auto gate = gates.find(name);
    const auto health = profile_health(
        open, call, name, number, gate == gates.end() ? std::nullopt : std::optional(gate->second));
    startable += health.exists ? number : 0;
    for (auto& one : rules::diagnose(health, context)) {
      found.push_back(std::move(one));
    }
  }
  if (const auto problem = planner_problem(open, call); problem && triaged > 0) {
    found.push_back(rules::planner_unavailable(triaged, open.config.planner.automatic, *problem));
  }
  if (startable > 0 && !call.host.dispatcher_state(open.home).alive) {
    found.push_back(rules::no_dispatcher(startable));
  }
  rules::sort_diagnostics(found);
  return found;
}

// Why what waits long is not started: the home is looked at once, and only when something does.
class Waits {
 public:
  Waits(OpenBoard& open, Call& call, const rules::DiagnosticContext& context)
      : open_(open), call_(call), context_(context) {}

  void explain(rules::TaskHealth& health) {
    if (!rules::waits_long(health, context_)) {
      return;
    }
    const Known& known = look(health.profile, health.task.lane);
    health.holds.insert(health.holds.end(), known.now.begin(), known.now.end());
    health.slot_freed_now = rules::cap_alone(known.a_moment_ago).has_value();
    if (const auto cap = rules::cap_alone(health.holds)) {
      Full& full =
          full_.try_emplace(cap->text, Full{*cap, 0, *health.task.ready_since}).first->second;
      full.oldest = std::min(full.oldest, *health.task.ready_since);
      ++full.waiting;
    }
  }
  // One for each cap, however many tasks wait for it.
  std::vector<rules::Diagnostic> slots_full() const {
    std::vector<rules::Diagnostic> found;
    for (const auto& [text, full] : full_) {
      found.push_back(rules::slots_full(full.cap, full.waiting, full.oldest, context_));
    }
    return found;
  }

 private:
  struct Known {
    std::vector<rules::Hold> now;
    std::vector<rules::Hold> a_moment_ago;
  };
  struct Full {
    rules::Hold cap;
    std::int64_t waiting = 0;
    Instant oldest;
  };
  const Known& look(const std::string& profile, Lane lane) {
    if (!fleet_) {
      fleet_ = look_at_fleet(open_, call_);
    }
    const auto [found, is_new] = known_.try_emplace({profile, lane});
    if (is_new) {
      found->second = {dispatcher_holds(open_, call_, *fleet_, profile, lane),
                       dispatcher_holds(open_, call_, fleet_->a_moment_ago(), profile, lane)};
    }
    return found->second;
  }

  OpenBoard& open_;
  Call& call_;
  const rules::DiagnosticContext& context_;
  std::optional<FleetView> fleet_;
  std::map<std::pair<std::string, Lane>, Known> known_;
  std::map<std::string, Full> full_;
};

// The facts about one task as its board has them.
Result<rules::TaskHealth> health_of(db::Reader& tx, const std::string& id, const OpenBoard& open,
                                    const rules::DiagnosticContext& context) {
  TRY_ASSIGN(rules::TaskHealth health, board::task_health(tx, id, context));
  if (rules::waits_long(health, context)) {
    health.holds = board::claim_holds(tx, health.task, context.now, open.config.planner.limits);
  }
  return health;
}

Json data_json(const rules::Diagnostic& diagnostic) {
  Json data = Json::object();
  for (const auto& [key, value] : diagnostic.data) {
    std::visit([&, name = key](const auto& held) { data[name] = held; }, value);
  }
  return data;
}

Json row_json(Json task_id, Json title, Json status, Json assignee,
              const std::vector<rules::Diagnostic>& found) {
  return {{"task_id", std::move(task_id)},
          {"title", std::move(title)},
          {"status", std::move(status)},
          {"assignee", std::move(assignee)},
          {"diagnostics", diagnostics_json(found)}};
}

Json task_row(const Task& task, const std::vector<rules::Diagnostic>& found) {
  return row_json(task.id, task.title, to_word(task.status), or_null(task.assignee), found);
}

void drop_below(rules::Severity floor, std::vector<rules::Diagnostic>& found) {
  std::erase_if(found, [&](const rules::Diagnostic& one) { return one.severity < floor; });
}

struct Row {
  Json json;
  rules::Severity worst;
  Instant seen;
};

}  // namespace

Json diagnostics_json(const std::vector<rules::Diagnostic>& found) {
  Json out = Json::array();
  for (const rules::Diagnostic& one : found) {
    Json actions = Json::array();
    for (const rules::Advice& action : one.actions) {
      actions.push_back({{"kind", action.kind},
                         {"label", action.label},
                         {"payload", {{"command", action.command}}},
                         {"suggested", action.suggested}});
    }
    out.push_back({{"kind", to_word(one.kind)},
                   {"severity", to_word(one.severity)},
                   {"title", one.title},
                   {"detail", one.detail},
                   {"actions", std::move(actions)},
                   {"first_seen_at", seconds_or_null(one.first_seen)},
                   {"last_seen_at", seconds_or_null(one.last_seen)},
                   {"count", one.count},
                   {"run_id", one.run_id ? Json(*one.run_id) : Json(nullptr)},
                   {"data", data_json(one)}});
  }
  return out;
}

Result<std::vector<rules::Diagnostic>> diagnose_task(OpenBoard& open, Call& call,
                                                     const std::string& id) {
  const rules::DiagnosticContext context = context_of(open, call);
  std::optional<rules::Gate> gate;
  TRY_ASSIGN(rules::TaskHealth health, open.database.read([&](db::Reader& tx) {
    auto found = health_of(tx, id, open, context);
    if (found) {
      gate = board::profile_gate(tx, found->profile);
    }
    return found;
  }));
  Waits waits(open, call, context);
  waits.explain(health);
  std::vector<rules::Diagnostic> found = rules::diagnose(health, context);
  for (auto& one : waits.slots_full()) {
    found.push_back(std::move(one));
  }
  const Status status = health.task.status;
  if ((status == Status::ready || status == Status::review) && !health.profile.empty()) {
    for (auto& one :
         rules::diagnose(profile_health(open, call, health.profile, 1, gate), context)) {
      found.push_back(std::move(one));
    }
    rules::sort_diagnostics(found);
  }
  if (const auto problem = planner_problem(open, call);
      problem && status == Status::triage && !health.task.block_source) {
    found.push_back(rules::planner_unavailable(1, open.config.planner.automatic, *problem));
  }
  return found;
}

Result<Answer> diagnostics(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_with_config(call));
  const auto floor = *from_word<rules::Severity>(
      call.values.text_or("severity", to_word(rules::Severity::warning)));
  const rules::DiagnosticContext context = context_of(open, call);
  Answer answer;
  answer.value = Json::array();
  if (const auto given = call.values.text("task")) {
    TRY_ASSIGN(const Task task, open.database.read([&](db::Reader& tx) -> Result<Task> {
      TRY_ASSIGN(const std::string id, board::resolve_id(tx, *given));
      return board::get_task(tx, id);
    }));
    TRY_ASSIGN(auto found, diagnose_task(open, call, task.id));
    drop_below(floor, found);
    answer.value.push_back(task_row(task, found));
    return answer;
  }
  bool more = false;
  std::vector<rules::TaskHealth> seen;
  TRY(open.database.read([&](db::Reader& tx) -> Result<void> {
    const board::Suspects suspects = board::suspects(tx, context);
    more = suspects.more;
    for (const std::string& id : suspects.ids) {
      TRY_ASSIGN(seen.emplace_back(), health_of(tx, id, open, context));
    }
    return {};
  }));
  Waits waits(open, call, context);
  std::vector<Row> rows;
  for (rules::TaskHealth& health : seen) {
    waits.explain(health);
    auto found = rules::diagnose(health, context);
    drop_below(floor, found);
    if (!found.empty()) {
      rows.push_back({task_row(health.task, found), found.front().severity,
                      found.front().last_seen.value_or(Instant{})});
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.worst != b.worst ? a.worst > b.worst : a.seen > b.seen;
  });
  for (Row& row : rows) {
    answer.value.push_back(std::move(row.json));
  }
  // The board itself comes last: it is no task, and whoever reads tasks may stop before it.
  TRY_ASSIGN(auto found, diagnose_board(open, call, context));
  for (auto& one : waits.slots_full()) {
    found.push_back(std::move(one));
  }
  rules::sort_diagnostics(found);
  drop_below(floor, found);
  if (!found.empty()) {
    answer.value.push_back(row_json(nullptr, "board " + open.paths.slug, nullptr, nullptr, found));
  }
  if (more) {
    answer.advice.push_back(fmt::format(
        "note: there may be more: of a kind at most {} tasks are looked at, out of the first {}",
        board::k_most_suspects, board::k_queue));
  }
  return answer;
}

}  // namespace hermes::verbs
