#include "kernel/board/why.hpp"

#include <fmt/core.h>

#include <charconv>

#include <algorithm>

#include "kernel/base/duration.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/notice.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/fleet.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

struct Seen {
  Task task;
  std::vector<rules::Hold> holds;
  std::string profile;
  board::ProfileGate gate;
  std::map<std::string, std::int64_t> running;
};

Result<Seen> look(OpenBoard& open, const Call& call) {
  return open.database.read([&](db::Reader& tx) -> Result<Seen> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx, call.values.text_or("task_id", "")));
    Seen seen;
    TRY_ASSIGN(seen.task, board::get_task(tx, id));
    seen.holds = board::claim_holds(tx, seen.task, call.environment.now);
    seen.profile = board::worker_profile(seen.task, open.config.limits);
    seen.gate = board::profile_gate(tx, seen.profile);
    seen.running = board::running_by_profile(tx);
    return seen;
  });
}

// The caps count over all boards of the home. A board that cannot be read is left out, as the
// dispatcher does.
void add_other_boards(const OpenBoard& open, const Call& call,
                      std::map<std::string, std::int64_t>& running) {
  for (const BoardLook& look : look_at_boards(open.home, call.environment.now, open.paths.slug)) {
    for (const auto& [profile, n] : look.running) {
      running[profile] += n;
    }
  }
}

// What only the dispatcher knows, it has left in run/.
void add_notices(const OpenBoard& open, rules::FleetFacts& facts) {
  facts.board_trouble =
      home::read_notice(open.home, home::board_topic(open.paths.slug)).value_or("");
  if (const auto held = home::read_notice(open.home, home::k_starts_topic)) {
    const auto blank = held->find(' ');
    std::int64_t until = 0;
    std::from_chars(held->data(), held->data() + std::min(blank, held->size()), until);
    facts.starts_held_until = Instant{until};
    facts.starts_held_reason = blank == std::string::npos ? "" : held->substr(blank + 1);
  }
}

std::vector<rules::Hold> dispatcher_holds(const OpenBoard& open, Call& call, const Seen& seen) {
  rules::FleetFacts facts;
  facts.dispatcher_alive = call.host.dispatcher_state(open.home).alive;
  facts.cap = open.config.limits.max_in_progress;
  facts.profile_cap = open.config.limits.max_in_progress_per_profile;
  facts.paused_until = seen.gate.paused_until;
  facts.pause_reason = seen.gate.reason;
  if (facts.dispatcher_alive) {
    add_notices(open, facts);
  }
  for (const auto& [profile, n] : seen.running) {
    facts.running += n;
    facts.running_of_profile += profile == seen.profile ? n : 0;
  }
  std::optional<Error> unusable;
  if (!seen.profile.empty()) {
    auto profile = home::load_profile(open.home, seen.profile);
    facts.has_profile = profile.has_value();
    if (profile) {
      facts.profile_cap = profile->max_in_progress ? profile->max_in_progress : facts.profile_cap;
    } else if (profile.error().code == ErrorCode::invalid) {
      unusable = profile.error();
    }
  }
  std::vector<rules::Hold> holds = rules::fleet_holds(seen.profile, facts, call.environment.now);
  for (rules::Hold& hold : holds) {
    if (hold.kind == rules::HoldKind::no_profile && unusable) {
      hold.text = fmt::format("profile '{}' cannot be used: {}", seen.profile, unusable->message);
    }
  }
  return holds;
}

// Who works on it, since when, and whether somebody watches.
std::string running_text(OpenBoard& open, Call& call, const Seen& seen) {
  std::optional<Run> run;
  (void)open.database.read([&](db::Reader& tx) -> Result<void> {
    run = board::find_run(tx, seen.task.current_run_id.value_or(0));
    return {};
  });
  if (!run) {
    return "it is running";
  }
  const Instant now = call.environment.now;
  const bool external = run->holder_kind == HolderKind::external;
  std::string text =
      fmt::format("it is running: attempt {} (run {}) by '{}'{} for {}", run->attempt, run->id,
                  run->profile, external ? ", claimed by hand," : "",
                  format_duration(std::max(now - run->started_at, Millis{0})));
  if (run->worker_pid) {
    text += fmt::format(", PID {}", *run->worker_pid);
  }
  if (run->heartbeat_at) {
    text += fmt::format(", last heartbeat {}{}{}", format_age(*run->heartbeat_at, now),
                        run->heartbeat_note ? ": " : "", run->heartbeat_note.value_or(""));
  }
  if (run->stop_kind) {
    text += fmt::format("; it is being stopped ({} by {})", to_word(*run->stop_kind),
                        run->stop_by.value_or("somebody"));
  }
  if (!external && !call.host.dispatcher_state(open.home).alive) {
    text += "; no dispatcher is running, so its end is recorded when one starts";
  }
  return text;
}

}  // namespace

Result<Answer> why(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_with_config(call));
  TRY_ASSIGN(Seen seen, look(open, call));
  const Status status = seen.task.status;
  if (status != Status::running && status != Status::done && status != Status::archived) {
    add_other_boards(open, call, seen.running);
    std::ranges::move(dispatcher_holds(open, call, seen), std::back_inserter(seen.holds));
  }
  if (status == Status::running && !seen.holds.empty()) {
    seen.holds.front().text = running_text(open, call, seen);
  }
  Answer answer;
  answer.value = {
      {"task_id", seen.task.id}, {"status", to_word(status)}, {"holds", holds_json(seen.holds)}};
  return answer;
}

}  // namespace hermes::verbs
