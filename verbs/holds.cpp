#include "verbs/holds.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "kernel/board/gates.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/notice.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/fleet.hpp"

namespace hermes::verbs {

namespace {

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The caps that the dispatcher applies: flags go before config.toml, and after a bad edit its old
// values stay.
void add_caps(const OpenBoard& open, rules::FleetFacts& facts) {
  const std::string text = home::read_notice(open.home, home::k_caps_topic).value_or("");
  const auto blank = text.find(' ');
  if (const std::int64_t all = number_in(text); all > 0 && blank != std::string::npos) {
    facts.cap = all;
    const std::int64_t of_one = number_in(std::string_view(text).substr(blank + 1));
    facts.profile_cap = of_one > 0 ? std::optional(of_one) : std::nullopt;
  }
}

// What only the dispatcher knows, it has left in run/.
void add_notices(const OpenBoard& open, rules::FleetFacts& facts) {
  add_caps(open, facts);
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

}  // namespace

// The caps count over all boards of the home. A board that cannot be read is left out, as the
// dispatcher does.
FleetView look_at_fleet(const OpenBoard& open, Call& call) {
  FleetView fleet{call.host.dispatcher_state(open.home), {}, {}};
  for (const BoardLook& look : look_at_boards(open.home, call.environment.now)) {
    for (const auto& [profile, n] : look.running) {
      fleet.running[profile] += n;
    }
    for (const auto& [profile, n] : look.ended) {
      fleet.ended[profile] += n;
    }
  }
  return fleet;
}

FleetView FleetView::a_moment_ago() const {
  FleetView then = *this;
  for (const auto& [profile, n] : ended) {
    then.running[profile] += n;
  }
  return then;
}

Result<TaskHolds> task_holds(OpenBoard& open, const Call& call, const std::string& given_id) {
  return open.database.read([&](db::Reader& tx) -> Result<TaskHolds> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx, given_id));
    TaskHolds seen;
    TRY_ASSIGN(seen.task, board::get_task(tx, id));
    seen.holds =
        board::claim_holds(tx, seen.task, call.environment.now, open.config.planner.limits);
    seen.profile = board::worker_profile(seen.task, open.config.limits);
    return seen;
  });
}

std::vector<rules::Hold> dispatcher_holds(OpenBoard& open, const Call& call, const FleetView& fleet,
                                          const std::string& profile, Lane lane) {
  rules::FleetFacts facts;
  facts.dispatcher_alive = fleet.dispatcher.alive;
  facts.in_review = lane == Lane::review;
  facts.cap = open.config.limits.max_in_progress;
  facts.profile_cap = open.config.limits.max_in_progress_per_profile;
  const auto gate = open.database.read([&](db::Reader& tx) -> Result<std::optional<rules::Gate>> {
    return board::profile_gate(tx, profile);
  });
  facts.gate = gate.value_or(std::nullopt);
  if (facts.dispatcher_alive) {
    add_notices(open, facts);
  }
  for (const auto& [name, n] : fleet.running) {
    facts.running += n;
    facts.running_of_profile += name == profile ? n : 0;
  }
  std::optional<Error> unusable;
  if (!profile.empty()) {
    auto settings = home::load_profile(open.home, profile);
    facts.has_profile = settings.has_value();
    if (settings) {
      facts.profile_cap = settings->max_in_progress ? settings->max_in_progress : facts.profile_cap;
    } else if (settings.error().code == ErrorCode::invalid) {
      unusable = settings.error();
    }
  }
  std::vector<rules::Hold> holds = rules::fleet_holds(profile, facts, call.environment.now);
  for (rules::Hold& hold : holds) {
    if (hold.kind == rules::HoldKind::no_profile && unusable) {
      hold.text = fmt::format("profile '{}' cannot be used: {}", profile, unusable->message);
    }
  }
  return holds;
}

void add_dispatcher_holds(OpenBoard& open, const Call& call, const FleetView& fleet,
                          TaskHolds& seen) {
  for (rules::Hold& hold : dispatcher_holds(open, call, fleet, seen.profile, seen.task.lane)) {
    seen.holds.push_back(std::move(hold));
  }
}

}  // namespace hermes::verbs
