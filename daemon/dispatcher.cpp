#include "daemon/dispatcher.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/logger.hpp"
#include "kernel/base/files.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/snapshot.hpp"
#include "kernel/home/notice.hpp"
#include "kernel/home/task_files.hpp"

namespace hermes::daemon {

namespace {

constexpr Millis k_first_look{5000};  // at boards whose workers are not known
constexpr Millis k_setup_hold{10'000};
constexpr Millis k_after_failed_pass{1000};
constexpr std::size_t k_busy_from = 8;
constexpr std::chrono::microseconds k_busy_pace{4000};
constexpr Millis k_leave_patience{500};

}  // namespace

Dispatcher::Dispatcher(home::Home home, Settings& settings, Starter starter, HostIdentity host,
                       std::string holder, Loop& loop, Purpose purpose)
    : home_(std::move(home)),
      settings_(settings),
      starter_(std::move(starter)),
      host_(std::move(host)),
      holder_(std::move(holder)),
      loop_(loop),
      purpose_(purpose),
      roster_(home_, host_.boot, loop),
      trees_(home_, loop),
      planners_(home_, loop) {}

bool Dispatcher::Batch::empty() const {
  return decisions.empty() && signal.empty() && starts.empty() && sightings.empty();
}

// The root of everything we do: what escapes here is a bug or an exhausted machine, and neither may
// end the dispatcher.
std::optional<MonotonicTime> Dispatcher::settle() {
  try {
    return pass();
  } catch (const std::exception& error) {
    log_error(fmt::format("a pass failed and is tried again: {}", error.what()));
    return std::chrono::steady_clock::now() + k_after_failed_pass;
  }
}

std::optional<MonotonicTime> Dispatcher::pass() {
  const Instant now = wall_clock_now();
  settings_.refresh();
  tell_caps();
  find_boards();
  auto step = roster_.step(std::chrono::steady_clock::now());
  if (roster_.take_setup_failure()) {
    hold_starts(now, "hermes-shim could not set a run up (is run/ writable?)");
  }
  std::vector<Desk*> open;
  const rules::Snapshot snapshot = take_snapshot(now, open);
  const rules::Plan plan = rules::plan(snapshot, now, settings_.config().limits);
  bool acted = false;
  for (Batch& batch : sort_actions(snapshot, plan, open)) {
    try {
      acted = carry_out(batch, now) || acted;
    } catch (const std::exception& error) {  // one board's bug must not end or starve the others
      log_error(fmt::format("board {}: unexpected: {}", batch.desk->slug(), error.what()));
      roster_.forget_unstarted(
          batch.desk->slug());  // what was claimed and not started is found by its record
      forget_trees(batch.desk->slug());
    }
  }
  // Many short workers end one by one; a moment's wait lets one pass, with its two commits, serve
  // several. A board with little to do is served at once.
  loop_.pace(roster_.alive() >= k_busy_from ? k_busy_pace : std::chrono::microseconds{0});
  idle_ = !acted && !step && !trees_.busy() &&
          std::ranges::none_of(desks_, [](const auto& desk) { return desk->postponed(); });
  if (purpose_.once && idle_) {
    purpose_.start = false;
    idle_ = std::ranges::none_of(
        open, [this](const Desk* desk) { return roster_.awaits_own_worker(desk->slug()); });
  }
  if (const auto late = trees_.step(std::chrono::steady_clock::now())) {
    step = step ? std::min(*step, *late) : late;
  }
  if (const auto due = ask_planners(now, open)) {
    step = step ? std::min(*step, *due) : due;
  }
  if (acted) {
    loop_.wake();
  }
  return next_wake(now, open, plan.next_deadline, step);
}

void Dispatcher::tell_caps() {
  const Limits& limits = settings_.config().limits;
  const std::string caps = fmt::format("{} {}", limits.max_in_progress,
                                       limits.max_in_progress_per_profile
                                           ? std::to_string(*limits.max_in_progress_per_profile)
                                           : "-");
  if (caps != told_caps_) {
    home::set_notice(home_, home::k_caps_topic, caps);
    told_caps_ = caps;
  }
}

// New boards are served without a restart; one that disappears is let go.
void Dispatcher::find_boards() {
  const std::vector<std::string> slugs = home::list_boards(home_);
  std::erase_if(desks_, [&](const auto& desk) {
    const bool gone = std::find(slugs.begin(), slugs.end(), desk->slug()) == slugs.end();
    if (gone) {
      log_info(fmt::format("board {} is gone, and is served no more", desk->slug()));
      roster_.forget_board(desk->slug());
      home::clear_notice(home_, home::board_topic(desk->slug()));
      told_troubles_.erase(desk->slug());
      forget_trees(desk->slug());
      nothing_due_.forget(desk->slug());
    }
    return gone;
  });
  for (const std::string& slug : slugs) {
    const bool known = std::any_of(desks_.begin(), desks_.end(),
                                   [&](const auto& desk) { return desk->slug() == slug; });
    if (!known) {
      (void)make_directory(home_.run() / slug);
      home::clear_notice(home_, home::board_topic(slug));
      desks_.push_back(std::make_unique<Desk>(home_.board(slug), loop_));
      clean_records(*desks_.back(), wall_clock_now());
    }
  }
}

rules::Snapshot Dispatcher::take_snapshot(Instant now, std::vector<Desk*>& open) {
  rules::Snapshot snapshot;
  stops_pending_ = false;
  waiting_ = 0;
  bool unknown = false;
  const bool no_trees = std::chrono::steady_clock::now() < trees_held_until_;
  for (const auto& [name, profile] : settings_.profiles()) {
    if (!no_trees || !profile.tree.any()) {
      snapshot.profiles.emplace(name, rules::ProfileView{profile.max_in_progress});
    }
  }
  for (const auto& desk : desks_) {
    rules::BoardView view;
    if (!desk->ready(now, holder_, settings_.config().limits) || !view_board(*desk, now, view)) {
      tell_trouble(*desk);
      // Its workers count all the same. Who works on one that was never opened here is known in a
      // moment; one whose gate somebody keeps does not keep the others for ever.
      for (std::string& profile : roster_.profiles_at_work(desk->slug())) {
        snapshot.elsewhere.push_back(std::move(profile));
      }
      unknown = unknown || (desk->postponed() && desk->state().opened == 0 &&
                            std::chrono::steady_clock::now() < began_ + k_first_look);
      continue;
    }
    tell_trouble(*desk);
    waiting_ += view.waiting;
    open.push_back(desk.get());
    snapshot.boards.push_back(std::move(view));
  }
  snapshot.draining = !purpose_.start || unknown;
  if (const auto left = starts_held_until_ - std::chrono::steady_clock::now(); left.count() > 0) {
    snapshot.starts_held_until = now + std::chrono::ceil<Millis>(left);
  }
  if (now.seconds() != rate_second_.seconds()) {
    rate_second_ = now;
    started_this_second_ = 0;
  }
  snapshot.started_this_second = started_this_second_;
  return snapshot;
}

// No more candidates are read than could be started.
std::int64_t Dispatcher::headroom() const {
  return std::max<std::int64_t>(
      settings_.config().limits.max_in_progress - static_cast<std::int64_t>(roster_.alive()), 0);
}

bool Dispatcher::view_board(Desk& desk, Instant now, rules::BoardView& view) {
  desk.look();
  std::vector<Run> unknown;
  const Limits& limits = settings_.config().limits;
  const bool read = desk.read([&](db::Reader& tx) {
    view = board::snapshot(tx, desk.slug(), now, limits, settings_.verdicts(), host_, headroom());
    for (const rules::RunView& run : view.runs) {
      if (run.local && run.holder_kind != HolderKind::external &&
          !roster_.knows(desk.slug(), run.id)) {
        unknown.push_back(*board::find_run(tx, run.id));
      }
      stops_pending_ = stops_pending_ || run.stop_kind.has_value();
    }
  });
  for (const Run& run : unknown) {
    roster_.adopt(desk.slug(), run);
  }
  roster_.complete(view);
  return read;
}

std::vector<Dispatcher::Batch> Dispatcher::sort_actions(const rules::Snapshot& snapshot,
                                                        const rules::Plan& plan,
                                                        const std::vector<Desk*>& open) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < open.size(); ++i) {
    Batch batch;
    batch.desk = open[i];
    for (const rules::RunView& run : snapshot.boards[i].runs) {
      batch.decisions.verdicts.emplace(run.id, run.verdict);
    }
    batch.sightings = roster_.sightings(open[i]->slug(), std::chrono::steady_clock::now());
    batches.push_back(std::move(batch));
  }
  struct Sorter {
    std::vector<Batch>& batches;
    void operator()(const rules::RebaseClock& a) { batches[a.board].decisions.rebase_clock = true; }
    void operator()(const rules::FinishRun& a) { batches[a.board].decisions.finish.push_back(a); }
    void operator()(const rules::WakeTask& a) {
      batches[a.board].decisions.wake.push_back(a.task_id);
    }
    void operator()(const rules::ExpireClaim& a) {
      batches[a.board].decisions.expire.push_back(a.run_id);
    }
    void operator()(const rules::StopStale& a) {
      batches[a.board].decisions.stale.push_back(a.run_id);
    }
    void operator()(const rules::SignalStop& a) { batches[a.board].signal.push_back(a.run_id); }
    void operator()(const rules::StartTask& a) {
      Start start;
      start.task_id = a.task_id;
      start.profile = a.profile;
      batches[a.board].starts.push_back(std::move(start));
    }
  };
  for (const rules::Action& action : plan.actions) {
    std::visit(Sorter{batches}, action);
  }
  std::erase_if(batches, [this](const Batch& batch) {
    return batch.empty() && !trees_.is_ready(batch.desk->slug());
  });
  return batches;
}

// Returns when to be called again.
std::optional<MonotonicTime> Dispatcher::ask_planners(Instant now, const std::vector<Desk*>& open) {
  auto next = planners_.step(std::chrono::steady_clock::now());
  const home::Planner& planner = settings_.config().planner;
  if (!purpose_.plan || planner.automatic == AutoPlan::off || planner.command.empty()) {
    return next;
  }
  // All boards share per_pass: the one after the board that had its turn last comes first.
  std::vector<Desk*> order = open;
  const auto last = std::ranges::find(order, last_planned_, &Desk::slug);
  if (last != order.end()) {
    std::rotate(order.begin(), std::next(last), order.end());
  }
  for (Desk* desk : order) {
    if (const auto due = ask_planners_of(*desk, now)) {
      next = next ? std::min(*next, *due) : due;
    }
  }
  return next;
}

std::optional<MonotonicTime> Dispatcher::ask_planners_of(Desk& desk, Instant now) {
  const home::Planner& planner = settings_.config().planner;
  const MonotonicTime here = std::chrono::steady_clock::now();
  if (const auto rests = planners_.rests_until(desk.slug(), here)) {
    return rests;
  }
  if (static_cast<std::int64_t>(planners_.asked()) >= planner.per_pass) {
    return std::nullopt;  // the end of one of them wakes us
  }
  const auto in = [&](std::optional<Instant> at) {
    return at ? std::optional(here + (*at - now)) : std::nullopt;
  };
  if (nothing_due_.holds(desk.slug(), desk.state(), planner.limits, now)) {
    return in(nothing_due_.next_at(desk.slug()));
  }
  board::DuePlannings due;
  const bool read = desk.read([&](db::Reader& tx) {
    due = board::due_plannings(tx, now, planner.limits, static_cast<std::size_t>(planner.per_pass));
  });
  if (!read) {
    return std::nullopt;  // it is held off, and the desk says until when
  }
  nothing_due_.remember(desk.slug(), desk.state(), planner.limits, now, due);
  const PlanKind kind =
      planner.automatic == AutoPlan::decompose ? PlanKind::decompose : PlanKind::specify;
  // It waits at the gate before it asks, too.
  const Millis term = settings_.config().gate_wait + home::planning_term(settings_.config(), kind);
  for (const std::string& id : due.ids) {
    if (static_cast<std::int64_t>(planners_.asked()) >= planner.per_pass) {
      break;
    }
    if (planners_.is_asked(desk.slug(), id)) {
      continue;
    }
    const auto started = planners_.start(desk.slug(), id, kind, term);
    if (!started) {
      log_warning(fmt::format("the planner cannot be asked about {} on {}: {}", id, desk.slug(),
                              one_line(started.error())));
      return planners_.rests_until(desk.slug(), here);
    }
    last_planned_ = desk.slug();
  }
  return in(due.next_at);
}

// What the loop sleeps until: the plan's deadline, a step of our own, a board held off, the safety
// net, and the watchdog's term is the caller's business.
std::optional<MonotonicTime> Dispatcher::next_wake(Instant now, const std::vector<Desk*>& open,
                                                   std::optional<Instant> planned,
                                                   std::optional<MonotonicTime> step) {
  const MonotonicTime here = std::chrono::steady_clock::now();
  const Millis longest = settings_.config().interval;
  MonotonicTime next = here + longest;
  const auto consider = [&](std::optional<MonotonicTime> at) {
    if (at) {
      next = std::min(next, *at);
    }
  };
  if (planned) {  // clamped before it becomes nanoseconds, which reach for 292 years only
    consider(here + std::clamp(*planned - now, Millis{1}, std::max(longest, Millis{1})));
  }
  for (const auto& desk : desks_) {
    consider(desk->held_off_until());
    consider(desk->tidy(here));
  }
  consider(step);
  if (trees_held_until_ > here) {
    consider(trees_held_until_);
  }
  for (const Desk* desk : open) {  // another board is looked at when it can be served again
    consider(roster_.next_sighting(desk->slug()));
  }
  return next;
}

bool Dispatcher::newer_schema() const {
  return std::any_of(desks_.begin(), desks_.end(),
                     [](const auto& desk) { return desk->newer_schema(); });
}

// What is wrong with a board, for `why` and `doctor`; written when it changes.
void Dispatcher::tell_trouble(const Desk& desk) {
  const std::string text = desk.trouble() ? one_line(*desk.trouble()) : "";
  std::string& told = told_troubles_[desk.slug()];
  if (text == told) {
    return;
  }
  told = text;
  if (text.empty()) {
    home::clear_notice(home_, home::board_topic(desk.slug()));
  } else {
    home::set_notice(home_, home::board_topic(desk.slug()), text);
  }
}

bool Dispatcher::fenced_off() const {
  return std::any_of(desks_.begin(), desks_.end(),
                     [](const auto& desk) { return desk->fenced_off(); });
}

// What prevents one worker prevents all: a moment's rest instead of a storm of attempts.
void Dispatcher::hold_starts(Instant now, const std::string& why) {
  starts_held_until_ = std::chrono::steady_clock::now() + k_setup_hold;
  log_error("starts are held for 10 s: " + why);
  home::set_notice(home_, home::k_starts_topic, fmt::format("{} {}", (now + k_setup_hold).ms, why));
}

void Dispatcher::leave(const std::string& reason) {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + k_leave_patience;
  for (const auto& desk : desks_) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return;  // busy boards do without: the lease tells that we are gone
    }
    desk->vacate(wall_clock_now(), settings_.config().limits, reason);
  }
}

// Records of runs that were finished by a dispatcher that was killed before it could remove them.
void Dispatcher::clean_records(Desk& desk, Instant now) {
  if (!desk.ready(now, holder_, settings_.config().limits)) {
    return;
  }
  for (const home::fs::path& path : home::run_files(home_, desk.slug())) {
    bool finished = false;
    const bool read = desk.read([&](db::Reader& tx) {
      const auto run = board::find_run(tx, std::stoll(path.stem().string()));
      finished = !run || run->gone_at.has_value();
    });
    if (!read) {
      return;
    }
    if (finished) {
      std::error_code ignored;
      home::fs::remove(path, ignored);
    }
  }
}

}  // namespace hermes::daemon
