#include "scenario/scenario.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "kernel/rules/fate.hpp"

namespace hermes::test {

namespace {

template <class E>
E word_of(const std::string& text) {
  const auto value = from_word<E>(text);
  if (!value) {
    throw std::invalid_argument(fmt::format("'{}' is none of {}", text, word_list<E>()));
  }
  return *value;
}

}  // namespace

std::string Scenario::run(const std::string& line) {
  try {
    Command command(line);
    std::string printed = carry_out(command);
    command.check_all_taken();
    return printed;
  } catch (const std::invalid_argument& problem) {
    return fmt::format("error in `{}`: {}\n", line, problem.what());
  }
}

std::string Scenario::carry_out(Command& command) {
  const std::string& name = command.name();
  if (name == "plan" || name == "settle") {
    return decide(name == "settle");
  }
  if (name == "limits") {
    set_limits(command);
  } else if (name == "profile") {
    set_profile(command);
  } else if (name == "board") {
    choose_board(command);
  } else if (name == "candidate") {
    add_candidate(command);
  } else if (name == "scheduled") {
    const std::string task_id = command.take_word();
    board().scheduled.push_back({task_id, instant(command, "in")});
  } else if (name == "due") {
    do {
      board().scheduled.push_back({command.take_word(), now_});
    } while (command.has_word());
  } else if (name == "run") {
    add_run(command);
  } else if (name == "heartbeat" || name == "verdict" || name == "stop") {
    tell_run(command);
  } else if (name == "exit") {
    set_exit(command);
  } else if (name == "paused") {
    const std::string profile = command.take_word();
    const Millis length = command.take_length("for", Millis{0});
    board().gates[profile] = {.paused_until = now_ + length, .pause = length};
  } else if (name == "resume") {
    board().gates.erase(command.take_word());
    board().ended.clear();
  } else if (name == "drain") {
    draining_ = command.take_flag("on");
    if (!draining_ && !command.take_flag("off")) {
      throw std::invalid_argument("drain is on or off");
    }
  } else if (name == "elsewhere") {
    elsewhere_.clear();
    while (command.has_word()) {
      elsewhere_.push_back(command.take_word());
    }
  } else if (name == "starts_held") {
    starts_held_until_ = instant(command, "for");
  } else if (name == "started") {
    started_ = command.take_number();
    second_ = now_.seconds();
  } else if (name == "tick") {
    now_ = now_ + command.take_length();
  } else {
    throw std::invalid_argument("no such command");
  }
  return "";
}

void Scenario::set_limits(Command& command) {
  limits_.max_in_progress = command.take_number("max_in_progress", limits_.max_in_progress);
  if (command.has("max_in_progress_per_profile")) {
    limits_.max_in_progress_per_profile = command.take_number("max_in_progress_per_profile", 0);
  }
  if (command.has("start_rate")) {
    limits_.start_rate = command.take_number("start_rate", 0);
  }
  limits_.stale_timeout = command.take_length("stale_timeout", limits_.stale_timeout);
  limits_.heartbeat_gap = command.take_length("heartbeat_gap", limits_.heartbeat_gap);
  limits_.fleet_window = command.take_length("fleet_window", limits_.fleet_window);
  limits_.fleet_cooldown = command.take_length("fleet_cooldown", limits_.fleet_cooldown);
  limits_.verdict_grace = command.take_length("verdict_grace", limits_.verdict_grace);
}

void Scenario::set_profile(Command& command) {
  Profile profile;
  const std::string name = command.take_word();
  profile.verdict = word_of<VerdictMode>(command.take("verdict", "explicit"));
  if (command.has("cap")) {
    profile.cap = command.take_number("cap", 0);
  }
  profiles_[name] = profile;
}

void Scenario::choose_board(Command& command) {
  const std::string slug = command.take_word();
  const auto found = std::ranges::find(boards_, slug, &Board::slug);
  current_ = static_cast<std::size_t>(found - boards_.begin());
  if (found == boards_.end()) {
    boards_.push_back({.slug = slug});
  }
}

void Scenario::add_candidate(Command& command) {
  rules::Candidate candidate;
  candidate.task_id = command.take_word();
  candidate.profile = command.take("profile", "");
  candidate.tenant = command.take("tenant", "");
  candidate.priority = command.take_number("priority", 0);
  candidate.eligible_at =
      now_ - command.take_length("waited", Millis{0}) + command.take_length("in", Millis{0});
  board().candidates.push_back(std::move(candidate));
}

void Scenario::add_run(Command& command) {
  rules::RunView run;
  run.id = command.take_number();
  run.task_id = command.take("task", fmt::format("t_{}", run.id));
  run.profile = command.take("profile", "");
  run.tenant = command.take("tenant", "");
  run.holder_kind = command.take_flag("external") ? HolderKind::external : HolderKind::shim;
  run.local = !command.take_flag("foreign");
  const auto profile = profiles_.find(run.profile);
  run.verdict = profile == profiles_.end() ? VerdictMode::by_call : profile->second.verdict;
  run.signalled = command.take_flag("signalled");
  run.started_at = instant(command, "started");
  if (command.has("heartbeat")) {
    run.heartbeat_at = instant(command, "heartbeat");
  }
  if (command.has("ended")) {
    run.ended_at = instant(command, "ended");
  }
  if (command.has("stop")) {
    run.stop_kind = word_of<StopKind>(command.take("stop", ""));
    (void)instant(command, "stopped");
  }
  if (command.has("ttl")) {
    run.lease_ttl = command.take_length("ttl", Millis{0});
    run.lease_expires_at = instant(command, "expires", run.lease_ttl);
  }
  board().runs.push_back(std::move(run));
}

void Scenario::tell_run(Command& command) {
  rules::RunView& run = find_run(command.take_number());
  if (command.name() == "heartbeat") {
    run.heartbeat_at = now_;
    if (run.lease_expires_at) {
      run.lease_expires_at = now_ + run.lease_ttl;
    }
  } else if (command.name() == "verdict") {
    run.ended_at = now_;
    run.lease_expires_at.reset();
  } else {
    run.stop_kind = word_of<StopKind>(command.take_word());
  }
}

void Scenario::set_exit(Command& command) {
  rules::RunView& run = find_run(command.take_number());
  if (command.has("signal")) {
    run.exit = ExitFacts{ExitKind::signaled, static_cast<int>(command.take_number("signal", 0))};
  } else if (command.take_flag("lost")) {
    run.exit = ExitFacts{ExitKind::shim_lost};
  } else {
    run.exit = ExitFacts{ExitKind::exited, static_cast<int>(command.take_number("code", 0))};
    run.exit->last_output = command.take("says", "");
  }
}

std::string Scenario::decide(bool then_do) {
  const rules::Plan plan = rules::plan(snapshot(), now_, limits_);
  std::string printed;
  for (const rules::Action& action : plan.actions) {
    printed += std::visit([this](const auto& a) { return print(a); }, action);
  }
  const auto next = plan.next_deadline;
  printed += next ? fmt::format("next: in {}\n", write_length(*next - now_)) : "next: nothing\n";
  if (then_do) {
    for (const rules::Action& action : plan.actions) {
      std::visit([this](const auto& a) { apply(a); }, action);
    }
    printed += std::exchange(told_, "");
  }
  return printed;
}

std::string Scenario::name(std::size_t board, std::int64_t run_id) const {
  return fmt::format("{}/{}", boards_.at(board).slug, run_id);
}

std::string Scenario::name(std::size_t board, const std::string& task_id) const {
  return fmt::format("{}/{}", boards_.at(board).slug, task_id);
}

std::string Scenario::print(const rules::RebaseClock& action) const {
  return fmt::format("rebase {}\n", boards_[action.board].slug);
}

std::string Scenario::print(const rules::FinishRun& action) const {
  return fmt::format("finish {} {} {}\n", name(action.board, action.run_id),
                     to_word(action.exit.kind), action.exit.code);
}

std::string Scenario::print(const rules::WakeTask& action) const {
  return fmt::format("wake {}\n", name(action.board, action.task_id));
}

std::string Scenario::print(const rules::ExpireClaim& action) const {
  return fmt::format("expire {}\n", name(action.board, action.run_id));
}

std::string Scenario::print(const rules::StopStale& action) const {
  return fmt::format("stale {}\n", name(action.board, action.run_id));
}

std::string Scenario::print(const rules::SignalStop& action) const {
  return fmt::format("signal {}\n", name(action.board, action.run_id));
}

std::string Scenario::print(const rules::StartTask& action) const {
  return fmt::format("start {} {}\n", name(action.board, action.task_id), action.profile);
}

Scenario::Board& Scenario::board() {
  if (boards_.empty()) {
    boards_.push_back({.slug = "a"});
  }
  return boards_[current_];
}

rules::RunView& Scenario::find_run(std::int64_t id) {
  board();
  return run_of(current_, id);
}

rules::RunView& Scenario::run_of(std::size_t board, std::int64_t id) {
  auto& runs = boards_.at(board).runs;
  const auto found = std::ranges::find(runs, id, &rules::RunView::id);
  if (found == runs.end()) {
    throw std::invalid_argument(fmt::format("no run {} on board {}", id, boards_[board].slug));
  }
  return *found;
}

Instant Scenario::instant(Command& command, const std::string& key, Millis otherwise) {
  return now_ + command.take_length(key, otherwise);
}

// As the board answers: what is eligible or due now is listed, of what lies ahead only the earliest
// moment is told.
rules::Snapshot Scenario::snapshot() const {
  rules::Snapshot out;
  out.draining = draining_;
  out.elsewhere = elsewhere_;
  out.starts_held_until = starts_held_until_;
  out.started_this_second = second_ == now_.seconds() ? started_ : 0;
  for (const auto& [name, profile] : profiles_) {
    out.profiles[name] = {profile.cap};
  }
  const auto earlier = [](std::optional<Instant> a, Instant b) { return a ? std::min(*a, b) : b; };
  for (const Board& from : boards_) {
    rules::BoardView view{.slug = from.slug, .runs = from.runs};
    for (const rules::Candidate& candidate : from.candidates) {
      if (candidate.eligible_at <= now_) {
        view.candidates.push_back(candidate);
      } else {
        view.next_eligible = earlier(view.next_eligible, candidate.eligible_at);
      }
    }
    for (const Waiting& task : from.scheduled) {
      if (task.at <= now_) {
        view.due.push_back(task.task_id);
      } else {
        view.next_due = earlier(view.next_due, task.at);
      }
    }
    view.gates = from.gates;
    out.boards.push_back(std::move(view));
  }
  return out;
}

void Scenario::apply(const rules::RebaseClock& action) {
  for (rules::RunView& run : boards_[action.board].runs) {
    if (run.lease_expires_at && *run.lease_expires_at > now_ + run.lease_ttl) {
      run.lease_expires_at = now_ + run.lease_ttl;
    }
    run.started_at = std::min(run.started_at, now_);
    for (std::optional<Instant>* at : {&run.heartbeat_at, &run.ended_at}) {
      if (*at) {
        *at = std::min(**at, now_);
      }
    }
  }
}

void Scenario::apply(const rules::FinishRun& action) {
  judge(boards_[action.board], run_of(action.board, action.run_id));
  drop_run(action.board, action.run_id);
}

// As the board does it when a verdict is committed.
void Scenario::judge(Board& board, const rules::RunView& run) {
  if (run.ended_at || !run.exit) {
    return;
  }
  const Outcome outcome = rules::fate_of(*run.exit, run.verdict, run.stop_kind).outcome;
  const rules::EndedRun ended{run.id, run.task_id, rules::sign_of(outcome),
                              rules::fingerprint(outcome, *run.exit)};
  board.ended.insert(board.ended.begin(), {run.profile, now_, ended});
  std::vector<rules::EndedRun> recent;
  for (const Ended& one : board.ended) {
    if (one.profile == run.profile && one.at > now_ - limits_.fleet_window) {
      recent.push_back(one.run);
    }
  }
  const auto found = board.gates.find(run.profile);
  const auto gate =
      found == board.gates.end() ? std::nullopt : std::optional<rules::Gate>(found->second);
  const auto pause = [&](std::optional<Millis> before) {
    const Millis length = rules::next_pause(before, limits_);
    board.gates[run.profile] = {.paused_until = now_ + length, .pause = length};
    told_ += fmt::format("{}/{} is paused for {}\n", board.slug, run.profile, write_length(length));
  };
  switch (rules::judge(gate, ended, recent)) {
    case rules::GateChange::none:
      break;
    case rules::GateChange::pause:
      pause(std::nullopt);
      break;
    case rules::GateChange::pause_longer:
      pause(gate->pause);
      break;
    case rules::GateChange::probe_decided:
      board.gates[run.profile].probe_run.reset();
      break;
    case rules::GateChange::resume:
      board.gates.erase(run.profile);
      told_ += fmt::format("{}/{} works again\n", board.slug, run.profile);
      break;
  }
}

void Scenario::apply(const rules::WakeTask& action) {
  std::erase_if(boards_[action.board].scheduled,
                [&](const Waiting& task) { return task.task_id == action.task_id; });
}

void Scenario::apply(const rules::ExpireClaim& action) { drop_run(action.board, action.run_id); }

void Scenario::apply(const rules::StopStale& action) {
  rules::RunView& run = run_of(action.board, action.run_id);
  run.stop_kind = StopKind::stale;
}

void Scenario::apply(const rules::SignalStop& action) {
  run_of(action.board, action.run_id).signalled = true;
}

void Scenario::apply(const rules::StartTask& action) {
  Board& on = boards_[action.board];
  const auto found = std::ranges::find(on.candidates, action.task_id, &rules::Candidate::task_id);
  if (found == on.candidates.end()) {
    throw std::invalid_argument(fmt::format("{} was started but does not wait", action.task_id));
  }
  std::int64_t last = 0;
  for (const rules::RunView& run : on.runs) {
    last = std::max(last, run.id);
  }
  on.runs.push_back({.id = last + 1,
                     .task_id = action.task_id,
                     .profile = action.profile,
                     .tenant = found->tenant,
                     .holder_kind = HolderKind::shim,
                     .verdict = profiles_[action.profile].verdict,
                     .started_at = now_});
  if (const auto gate = on.gates.find(action.profile); gate != on.gates.end()) {
    gate->second.probe_run = last + 1;
  }
  on.candidates.erase(found);
  started_ = second_ == now_.seconds() ? started_ + 1 : 1;
  second_ = now_.seconds();
}

void Scenario::drop_run(std::size_t board, std::int64_t id) {
  run_of(board, id);
  std::erase_if(boards_[board].runs, [&](const rules::RunView& run) { return run.id == id; });
}

}  // namespace hermes::test
