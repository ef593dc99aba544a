#include "churn/witness.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "kernel/base/words.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"

namespace hermes::churn {

namespace {

constexpr int k_exit_temporary_failure = 75;
// How a worker's command may end that was killed or stopped with its run.
const std::set<int> k_of_a_stop{128 + SIGKILL, 128 + SIGTERM, 128 + SIGHUP};

struct Told {
  std::string task;
  int starts = 0;
  std::optional<std::pair<std::string, int>> end;  // "exited" or "signaled", and the number
  std::set<std::string> tried;                     // verbs
  std::set<std::string> acknowledged;              // verbs that said 0
  std::set<int> by_signal;                         // 128 + signal, of its commands
};

using Witness = std::map<RunKey, Told>;

void take_line(const std::string& line, Witness& witness, Findings& findings) {
  std::istringstream words(line);
  std::string what;
  std::string board;
  std::string task;
  std::string run;
  std::string word;
  int number = 0;
  words >> what >> board >> task >> run >> word;
  Told& told = witness[{board, run}];
  told.task = task;
  if (what == "start") {
    findings.check(++told.starts == 1, "a run starts its worker once", line);
  } else if (what == "two") {
    findings.add("no two runs of a task live at once", "the lock of the task was taken: " + line);
  } else if (what == "end" && words >> number) {
    findings.check(!told.end, "a worker ends once", line);
    told.end.emplace(word, number);
  } else if (what == "try") {
    told.tried.insert(word);
  } else if (what == "called" && words >> number) {
    findings.check(number == 0 || number == 1 || k_of_a_stop.contains(number),
                   "a command ends with a documented status", line);
    if (number == 0) {
      told.acknowledged.insert(word);
    } else if (number > 128) {
      told.by_signal.insert(number);
    }
  } else {
    findings.add("the witness can be read", line);
  }
}

const std::map<std::string, Outcome> k_verdicts{{"complete", Outcome::completed},
                                                {"block", Outcome::blocked},
                                                {"schedule", Outcome::scheduled},
                                                {"request-review", Outcome::review},
                                                {"request-changes", Outcome::review}};

class Judge {
 public:
  Judge(const Run& run, const Told& told, bool without_shim, bool hit, Findings& findings)
      : run_(run), told_(told), without_shim_(without_shim), hit_(hit), findings_(findings) {}

  void judge() {
    require(run_.outcome && run_.gone_at && run_.exit_kind, "every run is accounted for");
    if (run_.outcome && run_.exit_kind) {
      require(exit_is_true(), "the booked exit is the worker's");
      require(outcome_is_true(), "the outcome follows from what the worker did");
      require(commands_were_stopped(), "only a kill or a stop ends a worker's command");
    }
  }

 private:
  void require(bool holds, const std::string& rule) const {
    if (!holds) {
      findings_.add(
          rule,
          fmt::format("run {} of {}, outcome {}, exit {} {}, stop {}, error '{}'; the worker "
                      "started {} times, ended {}; shim killed {}, process killed {}",
                      run_.id, run_.task_id, run_.outcome ? to_word(*run_.outcome) : "none",
                      run_.exit_kind ? to_word(*run_.exit_kind) : "none",
                      run_.exit_code.value_or(-1), run_.stop_kind ? to_word(*run_.stop_kind) : "no",
                      run_.error.value_or(""), told_.starts,
                      told_.end ? fmt::format("{} {}", told_.end->first, told_.end->second) : "no",
                      without_shim_, hit_));
    }
  }

  bool told_end(const char* kind) const {
    return told_.end && told_.end->first == kind && told_.end->second == run_.exit_code;
  }

  bool exit_is_true() const {
    switch (*run_.exit_kind) {
      case ExitKind::exited:
        return told_end("exited");
      case ExitKind::signaled:
        // Killed by itself, by the churn (what looked like its supervisor may have been the worker
        // a moment before its exec), by a stop, or for having outlived its verdict.
        return told_end("signaled") || (run_.exit_code == SIGKILL && (hit_ || without_shim_)) ||
               ((run_.stop_kind || verdict_was_tried()) &&
                (run_.exit_code == SIGTERM || run_.exit_code == SIGKILL));
      case ExitKind::shim_lost:
        return without_shim_;
      case ExitKind::never_started:
        return told_.starts == 0;
      case ExitKind::timed_out:
        return run_.profile == "slow" && !told_.end;
      default:
        return false;
    }
  }

  bool commands_were_stopped() const {
    const bool stopped = run_.stop_kind || verdict_was_tried();
    return std::ranges::all_of(told_.by_signal, [&](int status) {
      return stopped || (status == 128 + SIGKILL && (hit_ || without_shim_));
    });
  }

  bool verdict_was_tried() const {
    for (const auto& [verb, outcome] : k_verdicts) {
      if (told_.tried.contains(verb) && run_.outcome == outcome) {
        return true;
      }
    }
    return false;
  }

  bool outcome_is_true() const {
    for (const auto& [verb, outcome] : k_verdicts) {
      if (told_.acknowledged.contains(verb)) {
        return run_.outcome == outcome;
      }
    }
    if (run_.stop_kind || verdict_was_tried()) {
      return true;  // what a person or a killed command made of it
    }
    const bool by_exit_code = run_.profile != "agent";
    switch (*run_.exit_kind) {
      case ExitKind::exited:
        if (run_.exit_code == 0) {
          return run_.outcome == (by_exit_code ? Outcome::completed : Outcome::protocol_violation);
        }
        if (run_.exit_code == k_exit_temporary_failure) {
          return run_.outcome == Outcome::rate_limited;
        }
        return run_.outcome == (by_exit_code ? Outcome::failed : Outcome::crashed);
      case ExitKind::timed_out:
        return run_.outcome == Outcome::timed_out;
      case ExitKind::never_started:
        return run_.outcome == Outcome::aborted;
      default:
        return run_.outcome == Outcome::crashed;
    }
  }

  const Run& run_;
  const Told& told_;
  bool without_shim_;
  bool hit_;
  Findings& findings_;
};

std::vector<Run> runs_of_workers(const Ground& ground, const std::string& board) {
  return ground.read(board, [](db::Reader& tx) {
    std::vector<std::string> tasks;
    auto row = tx.query("SELECT DISTINCT task_id FROM runs");
    while (row.next()) {
      tasks.push_back(row.text(0));
    }
    std::vector<Run> runs;
    for (const std::string& task : tasks) {
      for (Run& run : board::runs_of(tx, task)) {
        if (run.holder_kind != HolderKind::external) {
          runs.push_back(std::move(run));
        }
      }
    }
    return runs;
  });
}

}  // namespace

Booked check_runs(const Ground& ground, const Ledger& ledger, const Killer& killer,
                  Findings& findings) {
  Witness witness;
  for (const std::string& line : daemon::test::lines_of(ground.path("witness"))) {
    take_line(line, witness, findings);
  }
  Booked booked;
  std::set<RunKey> known;
  for (const std::string& board : k_boards) {
    for (const Run& run : runs_of_workers(ground, board)) {
      const RunKey key{board, std::to_string(run.id)};
      const Told& told = witness[key];
      known.insert(key);
      Judge(run, told, killer.runs_without_shim().contains(key), killer.runs_hit().contains(key),
            findings)
          .judge();
      ++booked.runs;
      booked.exits_told += told.end ? 1 : 0;
      booked.stopped += run.stop_kind ? 1 : 0;
      booked.lost_shims += run.exit_kind == ExitKind::shim_lost ? 1 : 0;
      booked.never_started += run.exit_kind == ExitKind::never_started ? 1 : 0;
      booked.timed_out += run.exit_kind == ExitKind::timed_out ? 1 : 0;
    }
  }
  for (const auto& [key, told] : witness) {
    findings.check(
        told.starts == 0 || known.contains(key) || ledger.may_be_deleted(key.first, told.task),
        "every worker that ran has its run on the board",
        fmt::format("run {} of {}, task {}", key.second, key.first, told.task));
  }
  return booked;
}

}  // namespace hermes::churn
