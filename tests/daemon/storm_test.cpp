// Fifty workers; the dispatcher and their supervisors are killed at random instants. Whatever the
// board says at the end must be true.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <set>
#include <sstream>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

constexpr int k_tasks = 50;
constexpr int k_rounds = 14;

// Held for nothing between attempts, and never given up: every task is done in the end.
constexpr const char* k_config =
    "[dispatcher]\nfailure_limit = 1000\nmax_in_progress = 12\nrate_limit_cooldown = \"10ms\"\n"
    "[retry]\nbase = \"10ms\"\nfactor = 1\nmax = \"10ms\"\nfleet_window = 0\n";

// What the workers themselves have written down.
struct Trace {
  std::map<std::int64_t, int> starts;  // by run
  std::map<std::int64_t, int> ends;    // by run: the exit code it was about to give
  std::vector<std::string> doubts;     // two at once, two starts of one run, nonsense

  explicit Trace(const fs::path& file) {
    for (const std::string& line : lines_of(file)) {
      std::istringstream words(line);
      std::string what;
      std::int64_t run = 0;
      int code = 0;
      words >> what >> run;
      if (what == "start" && ++starts[run] == 1) {
        continue;
      }
      if (what == "end" && words >> code && ends.emplace(run, code).second && starts[run] == 1) {
        continue;
      }
      doubts.push_back(line);
    }
  }
};

class Storm {
 public:
  explicit Storm(unsigned seed) : random_(seed) {
    for (int i = 0; i < k_tasks; ++i) {
      ids_.push_back(board_.create({.title = fmt::format("task {}", i), .body = script()}));
    }
  }

  void blow() {
    for (int round = 0; round < k_rounds; ++round) {
      rig_.launch();
      pass(5, 250);
      for (int i = one_of({0, 1, 2}); i > 0; --i) {
        kill_a_shim();
        pass(0, 20);
      }
      rig_.kill_dispatcher();
      kill_a_shim();  // with nobody there to see it
      pass(0, 60);
    }
    rig_.start();
    const bool all =
        wait_until([this] { return board_.count(Status::done) == k_tasks; }, 2 * k_patience);
    INFO(rig_.said());
    REQUIRE(all);
  }

  void check() {
    const Trace trace(rig_.path("trace"));
    for (const std::string& line : trace.doubts) {
      FAIL_CHECK("the workers say: " << line);
    }
    int lost = 0;
    std::set<std::int64_t> known;
    for (const std::string& id : ids_) {
      for (const Run& run : board_.runs(id)) {
        known.insert(run.id);
        lost += run.outcome == Outcome::crashed ? 1 : 0;
        check_run(run, trace);
      }
    }
    for (const auto& [run, times] : trace.starts) {
      CHECK(known.contains(run));
    }
    CHECK(lost <= shims_killed_);
    CHECK(shims_killed_ > 0);
    CHECK(board_.processes() == 0);
    CHECK(rig_.wait_until_alone());
    std::error_code none;
    CHECK(wait_until([&] { return fs::is_empty(rig_.home().run() / "default", none); }));
    INFO(rig_.said());
    CHECK(rig_.stop() == 0);
  }

 private:
  // Its first attempts end in any way, a later one with 0. The lock finds two of one task at once,
  // also when one of them is only a child that was left behind.
  std::string script() {
    const std::string trace = rig_.path("trace").string();
    return fmt::format(
        "exec 9>>lock; flock -n 9 || echo \"twice $HERMES_KANBAN_RUN_ID\" >> '{0}'; "
        "echo \"start $HERMES_KANBAN_RUN_ID\" >> '{0}'; code={1}; [ -e tried ] && code=0; "
        "touch tried; setsid sleep 600 & sleep 0.{2:02}; "
        "echo \"end $HERMES_KANBAN_RUN_ID $code\" >> '{0}'; exit $code",
        trace, one_of({0, 0, 1, 3, 75, 200}), one_of({1, 3, 10, 25}));
  }

  // Between fork and execve a worker is still an image of its supervisor, and may be killed for it.
  static bool died_before_exec(const Run& run, bool started) {
    return run.exit_kind == ExitKind::signaled && run.exit_code == SIGKILL && !started;
  }

  static void check_run(const Run& run, const Trace& trace) {
    CAPTURE(run.id, run.error.value_or(""));
    REQUIRE(run.outcome);
    CHECK(run.gone_at);
    const bool started = trace.starts.contains(run.id);
    const auto end = trace.ends.find(run.id);
    switch (*run.outcome) {
      case Outcome::completed:
      case Outcome::failed:
      case Outcome::rate_limited:
        REQUIRE(end != trace.ends.end());
        CHECK(run.exit_kind == ExitKind::exited);
        CHECK(run.exit_code == end->second);
        break;
      case Outcome::crashed:
        CHECK((run.exit_kind == ExitKind::shim_lost || died_before_exec(run, started)));
        break;
      case Outcome::aborted:
        CHECK_FALSE(started);
        CHECK(run.exit_kind == ExitKind::never_started);
        break;
      default:
        FAIL_CHECK("outcome " << to_word(*run.outcome));
    }
  }

  void kill_a_shim() {
    std::vector<pid_t> shims;
    for (const pid_t pid : rig_.worker_processes()) {
      std::error_code gone;
      const fs::path exe = fs::read_symlink(fs::path("/proc") / std::to_string(pid) / "exe", gone);
      if (exe.filename() == "hermes-shim") {
        shims.push_back(pid);
      }
    }
    if (!shims.empty()) {
      shims_killed_ += ::kill(shims[random_() % shims.size()], SIGKILL) == 0 ? 1 : 0;
    }
  }

  void pass(int least_ms, int most_ms) {
    const auto deadline =
        std::chrono::steady_clock::now() +
        std::chrono::milliseconds{std::uniform_int_distribution<int>(least_ms, most_ms)(random_)};
    wait_until([&] { return std::chrono::steady_clock::now() >= deadline; });
  }

  int one_of(std::vector<int> values) { return values[random_() % values.size()]; }

  Rig rig_{k_config};
  BoardHand& board_ = rig_.board();
  std::mt19937 random_;
  std::vector<std::string> ids_;
  int shims_killed_ = 0;
};

}  // namespace

TEST_CASE("dispatchers and supervisors are killed at random, and nothing is lost or done twice",
          "[daemon][storm]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  Storm storm(seed);
  storm.blow();
  storm.check();
}

}  // namespace hermes::daemon::test
