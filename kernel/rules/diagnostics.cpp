#include "kernel/rules/diagnostics.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"
#include "kernel/rules/planning.hpp"

namespace hermes::rules {

namespace {

constexpr std::size_t k_title_bytes_shown = 160;
constexpr std::size_t k_detail_bytes = 500;
constexpr std::size_t k_most_actions = 5;

std::string title_of(const std::string& text) {
  return std::string(clip(first_line(text), k_title_bytes_shown));
}

std::string detail_of(const std::string& text) {
  return text.size() <= k_detail_bytes ? text : std::string(clip(text, k_detail_bytes)) + "…";
}

std::string times(std::int64_t n) { return n == 1 ? "once" : fmt::format("{} times", n); }

// The commands that are of use whatever the finding.
class Commands {
 public:
  Commands(const TaskHealth& health, const DiagnosticContext& context)
      : kanban_("hermes kanban" + context.board),
        id_(health.task.id),
        running_(health.task.status == Status::running) {}

  Advice log() const { return {"log", "read what its worker wrote", line("log", id_), true}; }
  Advice show() const { return {"show", "look at its events", line("show", id_), true}; }
  Advice comment() const {
    return {"comment", "answer it, or say why it waits", line("comment", id_ + " TEXT"), true};
  }
  Advice unblock() const { return {"unblock", "let it go on", line("unblock", id_), false}; }
  Advice plan(std::string_view verb) const {
    return {"planner", "let the planner try again", line(verb, id_), false};
  }
  Advice edit() const {
    return {"edit", "say it better", line("edit", id_ + " --body TEXT"), true};
  }
  Advice promote() const { return {"edit", "take it as it is", line("promote", id_), false}; }
  Advice why() const { return {"show", "see what holds it", line("why", id_), true}; }
  Advice reclaim() const {
    return {"reclaim", "stop its worker and put it back", line("reclaim", id_), true};
  }
  Advice unlink(const std::string& parent) const {
    return {"unlink", "let it go on without that", line("unlink", parent + " " + id_), true};
  }
  Advice reassign() const {
    return {"reassign", "give it to another profile",
            line("reassign", id_ + " PROFILE" + (running_ ? " --reclaim" : "")), false};
  }

 private:
  std::string line(std::string_view verb, const std::string& rest) const {
    return fmt::format("{} {} {}", kanban_, verb, rest);
  }
  std::string kanban_;
  std::string id_;
  bool running_;
};

bool at_rest(Status status) {
  return status == Status::done || status == Status::archived || status == Status::running;
}

template <class Pred>
std::vector<const PastRun*> streak(const TaskHealth& health, Pred belongs,
                                   const std::vector<Outcome>& passed_over) {
  std::vector<const PastRun*> found;
  for (const PastRun& run : health.runs) {
    if (belongs(run)) {
      found.push_back(&run);
    } else if (std::find(passed_over.begin(), passed_over.end(), run.outcome) ==
               passed_over.end()) {
      break;
    }
  }
  return found;
}

void add_span(Diagnostic& found, const std::vector<const PastRun*>& runs) {
  if (runs.empty()) {
    return;
  }
  found.last_seen = runs.front()->ended_at;
  found.first_seen = runs.back()->ended_at;
  found.run_id = runs.front()->id;
}

std::optional<Diagnostic> repeated_failures(const TaskHealth& health, const Commands& commands,
                                            const DiagnosticContext& context) {
  const Task& task = health.task;
  const std::int64_t threshold = context.thresholds.failures;
  if (at_rest(task.status) || task.failures < threshold) {
    return std::nullopt;
  }
  const auto runs =
      streak(health, [](const PastRun& run) { return sign_of(run.outcome) == Sign::fails; },
             {Outcome::aborted, Outcome::rate_limited});
  const std::string last = task.last_failure.value_or("");
  Diagnostic found{
      .kind = DiagnosticKind::repeated_failures,
      .severity = task.failures >= 2 * threshold ? Severity::critical : Severity::error,
      .title = title_of(fmt::format("failed {} in a row: {}", times(task.failures), last)),
      .detail = detail_of(last),
      .actions = {commands.log(), commands.reassign()},
      .count = task.failures};
  if (task.status == Status::blocked) {
    found.actions.push_back(commands.unblock());
  }
  add_span(found, runs);
  found.data = {{"consecutive_failures", task.failures},
                {"most_recent_outcome", task.last_failure_kind.value_or("")},
                {"last_error", title_of(last)},
                {"failure_threshold", threshold},
                {"failure_limit", task.failure_limit.value_or(context.limits.failure_limit)}};
  return found;
}

// A person has released it, which forgets its failures, and it crashes again.
std::optional<Diagnostic> repeated_crashes(const TaskHealth& health, const Commands& commands,
                                           const DiagnosticContext& context) {
  const std::int64_t threshold = context.thresholds.crashes;
  if (at_rest(health.task.status) || health.task.failures == 0 ||
      health.task.failures >= context.thresholds.failures) {
    return std::nullopt;
  }
  const auto runs = streak(
      health, [](const PastRun& run) { return run.outcome == Outcome::crashed; },
      {Outcome::failed, Outcome::timed_out, Outcome::stale, Outcome::spawn_failed,
       Outcome::rate_limited, Outcome::protocol_violation, Outcome::aborted, Outcome::blocked});
  const auto crashes = static_cast<std::int64_t>(runs.size());
  if (crashes < threshold) {
    return std::nullopt;
  }
  Diagnostic found{.kind = DiagnosticKind::repeated_crashes,
                   .severity = crashes >= 2 * threshold ? Severity::critical : Severity::error,
                   .title = title_of(fmt::format("its workers crashed {}: {}", times(crashes),
                                                 runs.front()->error)),
                   .detail = detail_of(runs.front()->error),
                   .actions = {commands.log(), commands.reassign()},
                   .count = crashes};
  add_span(found, runs);
  found.data = {{"consecutive_crashes", crashes}, {"last_error", title_of(runs.front()->error)}};
  return found;
}

std::optional<Diagnostic> workspace_failed(const TaskHealth& health, const Commands& commands) {
  if (at_rest(health.task.status) || health.task.failures == 0 || health.runs.empty() ||
      health.runs.front().exit_kind != ExitKind::workspace_failed) {
    return std::nullopt;
  }
  const PastRun& run = health.runs.front();
  Diagnostic found{.kind = DiagnosticKind::workspace_failed,
                   .severity = Severity::error,
                   .title = title_of("it has nowhere to work: " + run.error),
                   .detail = detail_of(run.error),
                   .actions = {commands.show()}};
  add_span(found, {&run});
  found.data = {{"workspace_kind", std::string(to_word(health.task.workspace_kind))},
                {"workspace_path", health.task.workspace_path.value_or("")}};
  return found;
}

// The breaker's blocks too: nobody else would tell of them.
std::optional<Diagnostic> stuck_in_blocked(const TaskHealth& health, const Commands& commands,
                                           const DiagnosticContext& context) {
  const Task& task = health.task;
  const Instant since = health.blocked_at.value_or(task.updated_at);
  if (task.status != Status::blocked || context.now - since < context.thresholds.blocked ||
      (health.last_comment_at && *health.last_comment_at > since)) {
    return std::nullopt;
  }
  const auto hours = (context.now - since).count() / 3'600'000;
  return Diagnostic{.kind = DiagnosticKind::stuck_in_blocked,
                    .severity = Severity::warning,
                    .title = title_of(fmt::format("blocked for {} and nobody has answered: {}",
                                                  format_duration(context.now - since),
                                                  task.block_reason.value_or("no reason given"))),
                    .detail = detail_of(task.block_reason.value_or("")),
                    .actions = {commands.comment(), commands.unblock(), commands.reassign()},
                    .first_seen = since,
                    .last_seen = since,
                    .data = {{"blocked_at", since.seconds()},
                             {"age_hours", hours},
                             {"block_source",
                              std::string(task.block_source ? to_word(*task.block_source) : "")}}};
}

std::optional<Diagnostic> block_unblock_cycling(const TaskHealth& health, const Commands& commands,
                                                const DiagnosticContext& context) {
  const Instant since = context.now - context.thresholds.cycle_window;
  const auto recent = std::count_if(health.cycles.begin(), health.cycles.end(),
                                    [&](Instant at) { return at > since; });
  if (health.task.status == Status::done || health.task.status == Status::archived ||
      recent < context.thresholds.cycles) {
    return std::nullopt;
  }
  return Diagnostic{.kind = DiagnosticKind::block_unblock_cycling,
                    .severity = Severity::warning,
                    .title = fmt::format("blocked again {} within {}", times(recent),
                                         format_duration(context.thresholds.cycle_window)),
                    .detail = detail_of(health.task.block_reason.value_or("")),
                    .actions = {commands.show(), commands.comment(), commands.reassign()},
                    .first_seen = health.cycles[static_cast<std::size_t>(recent) - 1],
                    .last_seen = health.cycles.front(),
                    .count = recent,
                    .data = {{"cycles", static_cast<std::int64_t>(recent)},
                             {"window_seconds", context.thresholds.cycle_window.count() / 1000}}};
}

std::optional<Diagnostic> stranded_in_ready(const TaskHealth& health, const Commands& commands,
                                            const DiagnosticContext& context) {
  const Task& task = health.task;
  const bool just_freed = health.holds.empty() && health.slot_freed_now;
  if (!waits_long(health, context) || just_freed || cap_alone(health.holds)) {
    return std::nullopt;
  }
  const Millis age = context.now - *task.ready_since;
  const Millis threshold = context.thresholds.stranded;
  return Diagnostic{.kind = DiagnosticKind::stranded_in_ready,
                    .severity = age >= 6 * threshold   ? Severity::critical
                                : age >= 2 * threshold ? Severity::error
                                                       : Severity::warning,
                    .title = fmt::format("{} for {}, and nobody has taken it", to_word(task.status),
                                         format_duration(age)),
                    .detail = "`why` names the rule that keeps it from being started",
                    .actions = {commands.why(), commands.reassign()},
                    .first_seen = task.ready_since,
                    .last_seen = task.ready_since,
                    .data = {{"ready_since", task.ready_since->seconds()},
                             {"age_seconds", age.count() / 1000},
                             {"assignee", health.profile},
                             {"threshold_seconds", threshold.count() / 1000}}};
}

std::optional<Diagnostic> rate_limit_streak(const TaskHealth& health, const Commands& commands,
                                            const DiagnosticContext& context) {
  const auto runs =
      streak(health, [](const PastRun& run) { return run.outcome == Outcome::rate_limited; }, {});
  const auto times_limited = static_cast<std::int64_t>(runs.size());
  if (health.task.status == Status::done || health.task.status == Status::archived ||
      times_limited < context.thresholds.rate_limited) {
    return std::nullopt;
  }
  Diagnostic found{.kind = DiagnosticKind::rate_limit_streak,
                   .severity = Severity::warning,
                   .title = fmt::format("rate limited {} in a row (exit 75)", times(times_limited)),
                   .detail = "each further hold is twice as long, at most 1 h",
                   .actions = {commands.log(), commands.reassign()},
                   .count = times_limited};
  add_span(found, runs);
  found.data = {{"consecutive_rate_limits", times_limited}};
  return found;
}

std::optional<Diagnostic> heartbeat_stale(const TaskHealth& health, const Commands& commands,
                                          const DiagnosticContext& context) {
  if (health.task.status != Status::running || !health.heartbeat_at ||
      context.now - *health.heartbeat_at < context.limits.heartbeat_gap) {
    return std::nullopt;
  }
  const Millis age = context.now - *health.heartbeat_at;
  return Diagnostic{
      .kind = DiagnosticKind::heartbeat_stale,
      .severity = Severity::warning,
      .title = fmt::format("its last heartbeat is {} old", format_duration(age)),
      .detail = health.by_hand ? "it was claimed by hand: its claim ends with its term"
                : context.limits.stale_timeout.count() <= 0
                    ? "nothing stops it: stale_timeout is 0"
                    : "it is stopped once it has also run longer than stale_timeout",
      .actions = {commands.log(), commands.reclaim()},
      .first_seen = health.heartbeat_at,
      .last_seen = health.heartbeat_at,
      .run_id = health.task.current_run_id,
      .data = {{"age_seconds", age.count() / 1000},
               {"heartbeat_gap_seconds", context.limits.heartbeat_gap.count() / 1000}}};
}

std::optional<Diagnostic> waits_for_archived(const TaskHealth& health, const Commands& commands) {
  const auto& parents = health.archived_parents;
  if (health.task.status != Status::todo || parents.empty()) {
    return std::nullopt;
  }
  Diagnostic found{
      .kind = DiagnosticKind::waits_for_archived,
      .severity = Severity::error,
      .title =
          title_of("it waits for what was archived without being done: " + join(parents, ", ")),
      .detail =
          "it never starts by itself; a link made with `link --when ended` would not wait "
          "for what is archived",
      .count = static_cast<std::int64_t>(parents.size()),
      .data = {{"parents", title_of(join(parents, ", "))}}};
  for (std::size_t i = 0; i < std::min(parents.size(), k_most_actions); ++i) {
    found.actions.push_back(commands.unlink(parents[i]));
  }
  return found;
}

std::optional<Diagnostic> repeated_planning_failures(const TaskHealth& health,
                                                     const Commands& commands,
                                                     const DiagnosticContext& context) {
  if (health.task.status != Status::triage || !health.planning) {
    return std::nullopt;
  }
  const Planning& planning = *health.planning;
  const bool given_up = is_given_up(planning, context.planning);
  if (planning.failures < context.thresholds.failures && !given_up) {
    return std::nullopt;
  }
  const std::string last = planning.last_error.value_or("");
  return Diagnostic{
      .kind = DiagnosticKind::repeated_planning_failures,
      .severity = given_up ? Severity::error : Severity::warning,
      .title =
          title_of(fmt::format("the planner failed at it {}: {}", times(planning.failures), last)),
      .detail =
          detail_of(given_up ? "automation asks no more until its text is another: " + last : last),
      .actions = {commands.plan(to_word(planning.kind)), commands.edit(), commands.promote()},
      .count = planning.failures,
      .data = {{"consecutive_failures", planning.failures},
               {"plan", std::string(to_word(planning.kind))},
               {"last_error", title_of(last)},
               {"next_at", planning.next_at.seconds()},
               {"failure_limit", context.planning.failure_limit}}};
}

}  // namespace

bool waits_long(const TaskHealth& health, const DiagnosticContext& context) {
  const Task& task = health.task;
  return (task.status == Status::ready || task.status == Status::review) &&
         !health.profile.empty() && task.ready_since &&
         context.now - *task.ready_since >= context.thresholds.stranded;
}

std::optional<Hold> cap_alone(const std::vector<Hold>& holds) {
  const auto is_cap = [](const Hold& hold) {
    return hold.kind == HoldKind::cap_total || hold.kind == HoldKind::cap_profile;
  };
  return !holds.empty() && std::ranges::all_of(holds, is_cap) ? std::optional(holds.front())
                                                              : std::nullopt;
}

void sort_diagnostics(std::vector<Diagnostic>& found) {
  std::stable_sort(found.begin(), found.end(), [](const Diagnostic& a, const Diagnostic& b) {
    const auto seen = [](const Diagnostic& one) { return one.last_seen.value_or(Instant{}); };
    return a.severity != b.severity ? a.severity > b.severity : seen(a) > seen(b);
  });
}

std::vector<Diagnostic> diagnose(const TaskHealth& health, const DiagnosticContext& context) {
  const Commands commands(health, context);
  std::vector<Diagnostic> found;
  for (auto& one :
       {repeated_failures(health, commands, context), repeated_crashes(health, commands, context),
        workspace_failed(health, commands), stuck_in_blocked(health, commands, context),
        block_unblock_cycling(health, commands, context),
        stranded_in_ready(health, commands, context), rate_limit_streak(health, commands, context),
        heartbeat_stale(health, commands, context), waits_for_archived(health, commands),
        repeated_planning_failures(health, commands, context)}) {
    if (one) {
      found.push_back(*one);
    }
  }
  sort_diagnostics(found);
  return found;
}

std::vector<Diagnostic> diagnose(const ProfileHealth& profile, const DiagnosticContext& context) {
  std::vector<Diagnostic> found;
  const std::string& name = profile.name;
  const Advice show{"profile", "look at the profile", "hermes profile show " + name, true};
  const auto waits = [&] {
    return profile.waiting == 1 ? std::string("1 task waits for it")
                                : fmt::format("{} tasks wait for it", profile.waiting);
  };
  if (profile.waiting > 0 && !profile.exists) {
    found.push_back({.kind = DiagnosticKind::profile_missing,
                     .severity = Severity::warning,
                     .title = fmt::format("no profile '{}' here, and {}", name, waits()),
                     .detail = "somebody outside claims such tasks, or the name is mistyped",
                     .actions = {{"profile", "see which there are", "hermes profile list", true}},
                     .count = profile.waiting,
                     .data = {{"profile", name}, {"waiting", profile.waiting}}});
  } else if (profile.waiting > 0 && !profile.problem.empty()) {
    found.push_back(
        {.kind = DiagnosticKind::profile_unusable,
         .severity = Severity::error,
         .title = title_of(fmt::format("profile '{}' cannot be used, and {}", name, waits())),
         .detail = detail_of(profile.problem),
         .actions = {show},
         .count = profile.waiting,
         .data = {{"profile", name}, {"waiting", profile.waiting}}});
  }
  if (const auto hold = profile.gate ? gate_hold(name, *profile.gate, context.now) : std::nullopt) {
    const Instant until = profile.gate->paused_until.value_or(context.now);
    found.push_back(
        {.kind = DiagnosticKind::profile_paused,
         .severity = Severity::error,
         .title = title_of(hold->text),
         .detail = detail_of(profile.gate->reason),
         .actions = {{"profile", "end the pause, once it is mended",
                      fmt::format("hermes profile resume {}{}", name, context.board), true},
                     show},
         .first_seen = until - profile.gate->pause,
         .last_seen = until - profile.gate->pause,
         .count = std::max<std::int64_t>(profile.waiting, 1),
         .run_id = profile.gate->probe_run,
         .data = {{"profile", name}, {"until", until.seconds()}, {"waiting", profile.waiting}}});
  }
  return found;
}

Diagnostic planner_unavailable(std::int64_t waiting, AutoPlan automatic,
                               const std::string& problem) {
  return {.kind = DiagnosticKind::triage_aux_unavailable,
          .severity = Severity::warning,
          .title = title_of(fmt::format("{} task{} in triage to be planned, and {}", waiting,
                                        waiting == 1 ? " is" : "s are", problem)),
          .detail =
              "[planner] of config.toml names the planner; auto = \"off\" leaves triage to people",
          .actions = {{"planner", "look at the settings", "hermes config show", true}},
          .count = waiting,
          .data = {{"auto", std::string(to_word(automatic))},
                   {"primary_slot", std::string("planner")},
                   {"problem", problem},
                   {"waiting", waiting}}};
}

Diagnostic slots_full(const Hold& cap, std::int64_t waiting, Instant oldest,
                      const DiagnosticContext& context) {
  const Millis age = context.now - oldest;
  return {.kind = DiagnosticKind::slots_full,
          .severity = Severity::warning,
          .title = title_of(fmt::format("{} task{} for a slot, the longest for {}: {}", waiting,
                                        waiting == 1 ? " waits" : "s wait", format_duration(age),
                                        cap.text)),
          .detail =
              "each starts when a worker ends; a higher limit in config.toml or profile.toml "
              "would start more at once",
          .actions = {{"dispatcher", "see what is running", "hermes dispatcher status", true}},
          .first_seen = oldest,
          .last_seen = oldest,
          .count = waiting,
          .data = {{"cap", std::string(to_word(cap.kind))},
                   {"age_seconds", age.count() / 1000},
                   {"threshold_seconds", context.thresholds.stranded.count() / 1000},
                   {"waiting", waiting}}};
}

Diagnostic no_dispatcher(std::int64_t waiting) {
  return {.kind = DiagnosticKind::no_dispatcher,
          .severity = Severity::error,
          .title = fmt::format("no dispatcher is running, and {} task{} for a worker", waiting,
                               waiting == 1 ? " waits" : "s wait"),
          .detail = "nothing is started until one runs",
          .actions = {{"dispatcher", "start it", "hermes dispatcher start", true}},
          .count = waiting,
          .data = {{"waiting", waiting}}};
}

}  // namespace hermes::rules
