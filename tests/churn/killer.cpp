#include "churn/killer.hpp"

#include <fmt/core.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "kernel/base/fd.hpp"

namespace hermes::churn {

namespace {

constexpr int k_another_dispatcher = 3;
constexpr std::chrono::seconds k_patience{30};

}  // namespace

void Killer::judge_end(int status) {
  const bool expected = status == 128 + last_signal_ || status == k_another_dispatcher ||
                        (told_to_end_ && (status == 0 || status == 128 + SIGTERM));
  findings_.check(expected, "a dispatcher ends only when it is told to",
                  fmt::format("exit status {} after signal {}", status, last_signal_));
  if (status == k_another_dispatcher) {  // the pass of a client: soon over
    not_before_ = Clock::now() + Millis{20};
  }
}

void Killer::keep_it_running() {
  if (dispatcher_) {
    const auto status = dispatcher_->wait(Millis{0});
    if (!status) {
      return;
    }
    judge_end(*status);
    dispatcher_.reset();
  }
  if (Clock::now() >= not_before_) {
    since_ = Clock::now();
    last_signal_ = 0;
    told_to_end_ = false;
    dispatcher_.emplace(CHURN_DISPATCHER, std::vector<std::string>{}, ground_.environment(),
                        ground_.path("dispatchers/out"), ground_.path("dispatchers/err"));
  }
}

bool Killer::serves_for_a_while() const {
  return dispatcher_ && last_signal_ == 0 && Clock::now() > since_ + std::chrono::seconds{1};
}

void Killer::kill_dispatcher() {
  if (!dispatcher_) {
    return;
  }
  const auto before = workers();
  last_signal_ = SIGKILL;
  dispatcher_->signal(SIGKILL);
  if (dispatcher_->wait(k_patience) != 128 + SIGKILL) {
    return;  // it had ended by itself
  }
  ++kills_.dispatchers;
  // One that was there before and is there now lived when the dispatcher died.
  kills_.over_live_workers += std::ranges::any_of(before, belongs_to) ? 1 : 0;
}

void Killer::terminate_dispatcher() {
  if (dispatcher_ && last_signal_ == 0) {
    last_signal_ = SIGTERM;
    told_to_end_ = true;
    dispatcher_->signal(SIGTERM);
    ++kills_.terminated;
  }
}

// Another thread continues it: this one may be waiting for a lock of the database that it holds.
void Killer::stop_dispatcher() {
  if (!dispatcher_ || Clock::now() < continues_at_) {
    return;
  }
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, dispatcher_->pid(), 0)));
  if (!process) {
    return;
  }
  const Millis length{random_() % 700};
  continues_at_ = Clock::now() + length;
  dispatcher_->signal(SIGSTOP);
  waker_ = std::jthread([length, held = std::move(process)] {
    std::this_thread::sleep_for(length);
    ::syscall(SYS_pidfd_send_signal, held.get(), SIGCONT, nullptr, 0);
  });
  ++kills_.stopped;
}

void Killer::end_dispatcher() {
  dispatcher_->signal(SIGTERM);
  const auto status = dispatcher_->wait(k_patience);
  findings_.check(status == 0, "a dispatcher that is told to end ends in order",
                  fmt::format("exit status {}", status.value_or(-1)));
  dispatcher_.reset();
}

std::vector<Process> Killer::workers() const {
  auto all = processes_of(ground_.home().dir);
  // LeakSanitizer looks at a program from a child of it, and waits for ever when that is killed.
  std::set<pid_t> commands;
  for (const Process& one : all) {
    if (one.program == "hermes") {
      commands.insert(one.pid);
    }
  }
  std::erase_if(all, [&, clients = clients_.pids()](const Process& one) {
    return one.run.empty() || one.program == "hermes-shim" || one.program == "hermes-dispatcher" ||
           std::ranges::count(clients, one.pid) > 0 ||
           (commands.contains(one.pid) && commands.contains(one.parent));
  });
  return all;
}

void Killer::kill_shim() {
  auto all = processes_of(ground_.home().dir);
  std::erase_if(all, [](const Process& one) { return one.program != "hermes-shim"; });
  if (all.empty()) {
    return;
  }
  const Process& one = all[random_() % all.size()];
  without_shim_.insert({one.board, one.run});  // before: whoever looks next must know
  kills_.shims += ::kill(one.pid, SIGKILL) == 0 ? 1 : 0;
}

void Killer::kill_worker() {
  const auto all = workers();
  if (all.empty()) {
    return;
  }
  const Process& one = all[random_() % all.size()];
  hit_.insert({one.board, one.run});
  kills_.workers += ::kill(one.pid, SIGKILL) == 0 ? 1 : 0;
}

void Killer::look() {
  const auto all = workers();
  std::map<std::pair<std::string, std::string>, const Process*> first;
  std::set<RunKey> runs;
  std::vector<const Process*> one_of_each;
  for (const Process& one : all) {
    if (runs.insert({one.board, one.run}).second) {
      one_of_each.push_back(&one);
    }
    const Process& other = *first.try_emplace({one.board, one.task}, &one).first->second;
    // It was seen before this one, so if it is there now it was there all the time.
    if (other.run != one.run && belongs_to(other)) {
      findings_.add("no two runs of a task live at once",
                    fmt::format("{} of {}: runs {} (process {}) and {} (process {})", one.task,
                                one.board, other.run, other.pid, one.run, one.pid));
    }
  }
  // What was seen and is there still has lived at this moment, with all others of which that is so.
  const auto at_once =
      std::ranges::count_if(one_of_each, [](const Process* one) { return belongs_to(*one); });
  findings_.check(at_once <= k_cap, "no more workers live at once than the cap allows",
                  fmt::format("{}", at_once));
  most_workers_ = std::max(most_workers_, runs.size());
  seen_.merge(runs);
}

void reap_orphans(const std::vector<pid_t>& ours) {
  while (true) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0 ||
        std::ranges::count(ours, ended.si_pid) > 0) {
      return;
    }
    ::waitpid(ended.si_pid, nullptr, 0);
  }
}

}  // namespace hermes::churn
