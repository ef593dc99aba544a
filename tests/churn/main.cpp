// churn [--seconds N | --dispatcher-kills N] [--seed N]
//
// The real `hermes`, `hermes-dispatcher` and `hermes-shim` in a home of two boards. 24 clients run
// random commands, each a process that may be killed at any instant; so are the dispatcher, the
// supervisors and the workers. Workers write down what they do in a file of their own. In the last
// third the dispatcher is left alone; then all comes to rest, and the board must agree with what
// clients were told and workers did. --dispatcher-kills N: 8 clients, and the dispatcher is
// killed, each time after 0 to 500 ms, until N of these kills have left a worker alive. What fails
// is printed with its seed, and the home is kept.

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <thread>

#include "churn/clients.hpp"
#include "churn/killer.hpp"
#include "churn/now_and_then.hpp"
#include "churn/verdict.hpp"
#include "churn/witness.hpp"
#include "support/wait.hpp"

using namespace hermes;
using namespace hermes::churn;

namespace {

constexpr int k_niceness = 10;              // the tests beside it come first
constexpr std::int64_t k_enough_work = 50;  // tasks that wait for workers: then none are created
// The WAL is copied back from 3,000 frames on, and from 4,000 with a patience of 400 ms, which
// outlasts what readers hold it up with here (truncate_policy in kernel/db/database.cpp).
constexpr std::int64_t k_wal_limit = 24LL * 1024 * 1024;
constexpr std::chrono::seconds k_settling{180};
constexpr std::chrono::seconds k_patience{60};
constexpr std::chrono::seconds k_longest_lack{100};  // of what must have happened
constexpr long k_memory_slack_kb = 8 * 1024;
#ifdef __SANITIZE_ADDRESS__
constexpr bool k_memory_is_judged = false;  // AddressSanitizer keeps what was freed for a while
constexpr bool k_verbs_are_judged = false;  // and a tenth of the commands does not meet every state
#else
constexpr bool k_memory_is_judged = true;
constexpr bool k_verbs_are_judged = true;
#endif

struct Options {
  int seconds = 20;
  int dispatcher_kills = 0;  // 0: by time
  std::uint64_t seed = std::random_device{}();
};

// Something that must have happened so often, or a run shows nothing.
struct Goal {
  const char* what;
  std::int64_t have;
  std::int64_t want;

  bool missed() const { return have < want; }
};

struct Size {
  int files = -1;
  long memory_kb = -1;
  std::vector<std::string> names;  // of what is open
};

class Churn {
 public:
  explicit Churn(const Options& options)
      : options_(options),
        random_(options.seed),
        clients_(ground_, findings_, random_, clients()) {}

  bool run() {
    measure_fresh();
    if (by_kills()) {
      daemon::test::write_text(ground_.path("long"), "");
    }
    const auto begin = Clock::now();
    storm();
    calm();
    const auto end_of_storm = Clock::now();
    settle();
    measure_at_rest();
    check();
    print(begin, end_of_storm);
    if (!findings_.none()) {
      ground_.keep();
    }
    return findings_.none();
  }

 private:
  bool by_kills() const { return options_.dispatcher_kills > 0; }
  int clients() const { return by_kills() ? 8 : 24; }

  void turn(bool go_on) {
    killer_.keep_it_running();
    clients_.turn(go_on, work_ < k_enough_work);
    auto ours = clients_.pids();
    ours.push_back(killer_.dispatcher());
    reap_orphans(ours);
    for (NowAndThen& one : always_) {
      one.turn();
    }
    std::this_thread::sleep_for(Millis{2});
  }

  void watch_files() {
    for (const std::string& board : k_boards) {
      wal_most_ = std::max(wal_most_, ground_.wal_bytes(board));
    }
  }

  void storm() {
    const Millis second{1000};
    std::vector<NowAndThen> kills;
    kills.emplace_back(random_, by_kills() ? Millis{250} : second, [&] {
      // What counts is a worker that lives on; now and then there is none.
      if (!by_kills() || killer_.has_workers() || random_() % 4 == 0) {
        killer_.kill_dispatcher();
      }
    });
    kills.emplace_back(random_, 3 * second, [&] { killer_.terminate_dispatcher(); });
    kills.emplace_back(random_, 2 * second, [&] { killer_.stop_dispatcher(); });
    const auto end = Clock::now() + expected_storm();
    const auto limit = Clock::now() + 3 * expected_storm() + k_longest_lack;
    bool lacks = true;
    NowAndThen look(random_, Millis{200}, [&] {
      lacks = std::ranges::any_of(goals(), &Goal::missed) || !verbs_without_success().empty();
    });
    while (Clock::now() < limit && (lacks || (!by_kills() && Clock::now() < end))) {
      turn(true);
      for (NowAndThen& one : kills) {
        one.turn();
      }
      look.turn();
    }
    demand(goals());
    const auto without = verbs_without_success();
    findings_.check(without.empty(), "each verb succeeds at least once",
                    fmt::format("not: {}", fmt::join(without, ", ")));
  }

  Millis expected_storm() const {
    return by_kills() ? Millis{500} * options_.dispatcher_kills
                      : Millis{1000} * options_.seconds * 2 / 3;
  }

  // A loaded machine takes longer to get there, and does get there.
  std::vector<Goal> goals() const {
    const Kills& kills = killer_.kills();
    const Ledger& ledger = clients_.ledger();
    const std::int64_t seconds = expected_storm() / Millis{1000};
    return {
        {"kills of a dispatcher over a live worker", kills.over_live_workers,
         by_kills() ? options_.dispatcher_kills : 1 + seconds / 6},
        {"dispatchers terminated", kills.terminated, 1},
        {"dispatchers stopped", kills.stopped, 1},
        {"shims killed", kills.shims, 1 + seconds / 4},
        {"processes of workers killed", kills.workers, 1 + seconds / 4},
        {"clients killed", ledger.killed, seconds},
        {"writes acknowledged", ledger.writes, 10 * seconds},
        {"workers alive at once", static_cast<std::int64_t>(killer_.most_workers()), 2},
        {"runs seen alive", static_cast<std::int64_t>(killer_.runs_seen()), 1 + seconds},
    };
  }

  // By time only: a run by kills has few clients.
  std::vector<std::string> verbs_without_success() const {
    std::vector<std::string> without;
    const bool are_judged = k_verbs_are_judged && !by_kills();
    for (const std::string& verb : are_judged ? Verbs::all() : std::set<std::string>{}) {
      const auto& succeeded = clients_.ledger().succeeded;
      if (const auto found = succeeded.find(verb); found == succeeded.end() || found->second == 0) {
        without.push_back(verb);
      }
    }
    return without;
  }

  // What is known only when all is over. Runs of deleted tasks are not among them.
  std::vector<Goal> booked_goals() const {
    const std::int64_t seconds = expected_storm() / Millis{1000};
    return {{"runs", booked_.runs, 2 * seconds}, {"exits told", booked_.exits_told, seconds}};
  }

  void demand(const std::vector<Goal>& goals) {
    for (const auto& [what, have, want] : goals) {
      findings_.check(have >= want, "enough happens to show something",
                      fmt::format("{}: {}, and {} are wanted", what, have, want));
    }
  }

  // One dispatcher from here to the end.
  void calm() {
    std::error_code none;
    fs::remove(ground_.path("long"), none);
    const Millis length =
        by_kills() ? Millis{5000}
                   : std::chrono::duration_cast<Millis>(std::chrono::seconds{options_.seconds}) / 3;
    const auto begin = Clock::now();
    while (Clock::now() < begin + length || warm_.files < 0) {
      turn(true);
      if (warm_.files < 0 && Clock::now() > begin + length / 3 && killer_.serves_for_a_while()) {
        last_dispatcher_ = killer_.dispatcher();
        warm_ = size();
      }
      most_files_ = std::max(most_files_, daemon::test::open_files_of(killer_.dispatcher()));
    }
  }

  Size size() const {
    const pid_t pid = killer_.dispatcher();
    const auto names = open_files(pid);
    return {static_cast<int>(names.size()), daemon::test::resident_kb(pid), names};
  }

  // What is open only for a moment is left out.
  Size at_rest_size() const {
    Size least = size();
    const auto end = Clock::now() + std::chrono::seconds{1};
    hermes::test::wait_until([&] {
      if (Size now = size(); now.files < least.files) {
        least = std::move(now);
      }
      return Clock::now() >= end;
    });
    return least;
  }

  void settle() {
    settling_ = true;
    const auto limit = Clock::now() + k_settling;
    std::string waits;
    Clock::time_point look_at;
    while (Clock::now() < limit) {
      turn(false);
      if (clients_.idle() && Clock::now() >= look_at) {
        if (at_rest(ground_, waits)) {
          return;
        }
        look_at = Clock::now() + Millis{100};
      }
    }
    findings_.add("everything comes to rest", waits);
  }

  // What a dispatcher without a past holds once it has worked on both boards.
  void measure_fresh() {
    for (const std::string& board : k_boards) {
      run_command(ground_, {"kanban", "--board", board, "create", "first", "--assignee", "sh"},
                  findings_);
    }
    killer_.keep_it_running();
    std::string waits;
    findings_.check(hermes::test::wait_until([&] { return at_rest(ground_, waits); }, k_patience),
                    "a new dispatcher works", waits);
    fresh_ = at_rest_size();
    killer_.end_dispatcher();
  }

  // The dispatcher that has lived through the last third.
  void measure_at_rest() {
    const pid_t pid = killer_.dispatcher();
    findings_.check(pid == last_dispatcher_, "a dispatcher that nobody kills lives on", "");
    const auto childless = [&] {
      const auto children = daemon::test::children_of(pid);
      return children.living == 0 && children.zombies == 0;
    };
    findings_.check(hermes::test::wait_until(childless, k_patience),
                    "a dispatcher at rest has no children",
                    fmt::format("{} zombies", daemon::test::children_of(pid).zombies));
    last_ = at_rest_size();
    killer_.end_dispatcher();
    findings_.check(last_.files <= fresh_.files, "no descriptor is leaked",
                    fmt::format("{} open, {} at first: {}, at first: {}", last_.files, fresh_.files,
                                fmt::join(last_.names, " "), fmt::join(fresh_.names, " ")));
    findings_.check(
        !k_memory_is_judged || last_.memory_kb <= warm_.memory_kb + k_memory_slack_kb,
        "memory stays flat",
        fmt::format("{} KiB, {} KiB after the warm-up", last_.memory_kb, warm_.memory_kb));
  }

  void check() {
    const bool alone = hermes::test::wait_until(
        [this] { return processes_of(ground_.home().dir).empty(); }, k_patience);
    for (const Process& left : processes_of(ground_.home().dir)) {
      findings_.check(
          alone, "no process is left",
          fmt::format("{} {}, run {} of {}", left.pid, left.program, left.run, left.board));
    }
    reap_orphans({});
    findings_.check(::waitpid(-1, nullptr, WNOHANG) == -1, "no child is left", "");
    findings_.check(wal_most_ <= k_wal_limit, "the WAL is bounded",
                    fmt::format("{} bytes", wal_most_));
    for (const char* name : {"dispatchers/err", "worker-errors"}) {
      check_words(daemon::test::text_of(ground_.path(name)), name, findings_);
    }
    check_boards(ground_, findings_);
    clients_.ledger().check(ground_, findings_);
    booked_ = check_runs(ground_, clients_.ledger(), killer_, findings_);
    demand(booked_goals());
    check_files(ground_, clients_.ledger().killed, findings_);
  }

  void print(Clock::time_point begin, Clock::time_point end_of_storm) const {
    const auto seconds = [](Clock::duration length) {
      return std::chrono::duration<double>(length).count();
    };
    const Ledger& ledger = clients_.ledger();
    const Kills& kills = killer_.kills();
    fmt::print("{:.0f} s under load, {:.0f} s to rest and to check\n",
               seconds(end_of_storm - begin), seconds(Clock::now() - end_of_storm));
    fmt::print("clients: {} at once, {} commands: {} done ({} writes), {} refused, {} killed\n",
               clients(), clients_.begun, ledger.done, ledger.writes, ledger.refused,
               ledger.killed);
    fmt::print("dispatcher: {} killed ({} over live workers), {} terminated, {} stopped\n",
               kills.dispatchers, kills.over_live_workers, kills.terminated, kills.stopped);
    fmt::print("killed: {} shims, {} processes of workers\n", kills.shims, kills.workers);
    fmt::print(
        "runs: {}, of which {} told their exit, {} stopped, {} lost with their shim, {} "
        "never started, {} timed out; {} alive at once\n",
        booked_.runs, booked_.exits_told, booked_.stopped, booked_.lost_shims,
        booked_.never_started, booked_.timed_out, killer_.most_workers());
    fmt::print("WAL at most {:.1f} MiB\n", static_cast<double>(wal_most_) / 1048576.0);
    fmt::print("descriptors: {} at most under load, {} at rest, {} in a fresh dispatcher\n",
               most_files_, last_.files, fresh_.files);
    fmt::print("memory: {} KiB after the warm-up, {} KiB at rest, {} KiB in a fresh dispatcher\n",
               warm_.memory_kb, last_.memory_kb, fresh_.memory_kb);
    if (!k_memory_is_judged) {
      fmt::print("memory is not judged under AddressSanitizer\n");
    }
    fmt::print("verbs that succeeded:");
    for (const auto& [verb, times] : ledger.succeeded) {
      fmt::print(" {} {}", verb, times);
    }
    fmt::print("\n");
    findings_.print();
    fmt::print("seed {}: {}\n", options_.seed, findings_.none() ? "good" : "BAD");
  }

  Options options_;
  Random random_;
  Findings findings_;
  Ground ground_;
  Clients clients_;
  Killer killer_{ground_, findings_, random_, clients_};
  std::int64_t work_ = 0;
  std::int64_t wal_most_ = 0;
  bool settling_ = false;
  pid_t last_dispatcher_ = -1;
  int most_files_ = -1;
  Size warm_;
  Size last_;
  Size fresh_;
  Booked booked_;
  // What goes on in the storm and in the calm.
  std::vector<NowAndThen> always_ = [this] {
    std::vector<NowAndThen> all;
    const auto unless_settling = [this](auto act) {
      return [this, act] {
        if (!settling_) {
          act();
        }
      };
    };
    all.emplace_back(random_, Millis{100}, unless_settling([this] { clients_.kill_one(); }));
    all.emplace_back(random_, Millis{400}, unless_settling([this] { killer_.kill_shim(); }));
    all.emplace_back(random_, Millis{400}, unless_settling([this] { killer_.kill_worker(); }));
    all.emplace_back(random_, Millis{100}, [this] { killer_.look(); });
    all.emplace_back(random_, Millis{50}, [this] { watch_files(); });
    all.emplace_back(random_, Millis{200}, [this] { work_ = open_work(ground_); });
    all.emplace_back(random_, Millis{5000}, [this] { check_invariants(ground_, findings_); });
    return all;
  }();
};

bool take_number(const char* text, auto& number) {
  const char* end = text + std::strlen(text);
  return std::from_chars(text, end, number).ptr == end;
}

bool parse(int argc, char* argv[], Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const bool known =
        i + 1 < argc &&
        ((name == "--seconds" && take_number(argv[i + 1], options.seconds)) ||
         (name == "--dispatcher-kills" && take_number(argv[i + 1], options.dispatcher_kills)) ||
         (name == "--seed" && take_number(argv[i + 1], options.seed)));
    if (!known) {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char* argv[]) {
  Options options;
  if (!parse(argc, argv, options)) {
    fmt::print(stderr, "churn [--seconds N | --dispatcher-kills N] [--seed N]\n");
    return 2;
  }
  constexpr rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);  // some workers end by a signal that leaves one
  ::setpriority(PRIO_PROCESS, 0, k_niceness);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a killed dispatcher leaves comes to us
  try {
    return Churn(options).run() ? 0 : 1;
  } catch (const std::exception& problem) {
    fmt::print("seed {}: {}\n", options.seed, problem.what());
    return 1;
  }
}
