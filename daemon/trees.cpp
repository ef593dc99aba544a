#include "daemon/trees.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "daemon/helper.hpp"
#include "daemon/logger.hpp"
#include "daemon/workers/process.hpp"
#include "kernel/base/files.hpp"

namespace hermes::daemon {

namespace {

constexpr Millis k_term{120'000};     // of all the git commands for one tree
constexpr Millis k_overtime{15'000};  // for a child to end its git and to say so

// What the child answers, in texts that end in NUL each: a path may hold any other byte.
constexpr std::string_view k_made = "made";
constexpr std::string_view k_failed = "failed";

std::string encoded(const Result<home::Tree>& tree) {
  const auto text = [](const std::vector<std::string>& fields) {
    std::string all;
    for (const std::string& field : fields) {
      all += field + '\0';
    }
    return all;
  };
  if (!tree) {
    const Error& error = tree.error();
    return text({std::string(k_failed), std::to_string(static_cast<int>(error.code)), error.message,
                 error.hint});
  }
  return text({std::string(k_made), tree->path, tree->branch ? "on" : "detached",
               tree->branch.value_or(""), tree->ours ? "ours" : "given"});
}

Result<home::Tree> decoded(const std::string& text) {
  std::vector<std::string> fields;
  for (std::size_t from = 0, to = 0; (to = text.find('\0', from)) != std::string::npos;
       from = to + 1) {
    fields.push_back(text.substr(from, to - from));
  }
  if (fields.size() == 5 && fields[0] == k_made) {
    return home::Tree{fields[1], fields[2] == "on" ? std::optional(fields[3]) : std::nullopt,
                      fields[4] == "ours"};
  }
  int code = 0;
  if (fields.size() == 4 && fields[0] == k_failed &&
      std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), code).ec ==
          std::errc() &&
      code >= 0 && code <= static_cast<int>(ErrorCode::internal)) {
    return fail(static_cast<ErrorCode>(code), fields[2], fields[3]);
  }
  return fail(ErrorCode::unavailable, "the working tree was not finished: its maker was killed",
              "it is tried again");
}

std::string read_answer(const Fd& from) {
  std::string text;
  std::array<char, 4096> bytes{};
  for (ssize_t got = 0; (got = ::read(from.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

TreeMakers::TreeMakers(home::Home home, Loop& loop) : home_(std::move(home)), loop_(loop) {}
TreeMakers::~TreeMakers() = default;

Result<void> TreeMakers::start(const std::string& board, std::int64_t run_id, const Task& task) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::unexpected(system_error("create a pipe for", "git", errno));
  }
  Child child;
  child.answer = Fd(ends[0]);
  const Fd theirs(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  // Our own program, also when another version has been installed over it meanwhile.
  TRY_ASSIGN(child.pidfd,
             start_helper(
                 {.path = "/proc/self/exe",
                  .argv = {"hermes-dispatcher", std::string(k_make_tree), home_.dir.string(), board,
                           task.id, task.workspace_path.value_or(""), task.branch.value_or("")},
                  .environment = {},
                  .out = theirs.get(),
                  .reads_sigterm = true}));
  child.until = std::chrono::steady_clock::now() + k_term + k_overtime;
  const Key key{board, run_id};
  Child& entry = entries_.insert_or_assign(key, std::move(child)).first->second;
  entry.watch = loop_.on_readable(entry.pidfd.get(), [this, key] { ended(key); });
  return {};
}

// It has written its answer before it ended.
void TreeMakers::ended(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Child& child = found->second;
  (void)workers::reap(child.pidfd);
  child.watch.reset();
  child.tree = decoded(read_answer(child.answer));
  loop_.wake();
}

// Its end is still taken notice of, so that no zombie is left.
void TreeMakers::forget(Child& child) {
  if (child.tree) {
    return;
  }
  child.watch.reset();
  const int number = child.pidfd.get();
  Child& orphan = orphans_.insert_or_assign(number, std::move(child)).first->second;
  orphan.watch = loop_.on_readable(number, [this, number] {
    if (const auto found = orphans_.find(number); found != orphans_.end()) {
      (void)workers::reap(found->second.pidfd);
      orphans_.erase(found);
    }
  });
}

void TreeMakers::cancel(const std::string& board, std::int64_t run_id) {
  if (const auto found = entries_.find({board, run_id});
      found != entries_.end() && !found->second.tree) {
    (void)workers::request_stop(found->second.pidfd);
  }
}

void TreeMakers::forget_board(const std::string& board) {
  for (auto& [key, child] : entries_) {
    if (key.first == board) {
      if (!child.tree) {
        (void)workers::request_stop(child.pidfd);
      }
      forget(child);
    }
  }
  std::erase_if(entries_, [&](const auto& item) { return item.first.first == board; });
}

std::vector<TreeMakers::Done> TreeMakers::take(const std::string& board) {
  std::vector<Done> done;
  for (auto& [key, child] : entries_) {
    if (key.first == board && child.tree) {
      done.push_back({key.second, std::move(*child.tree)});
    }
  }
  std::erase_if(entries_,
                [&](const auto& item) { return item.first.first == board && item.second.tree; });
  return done;
}

bool TreeMakers::is_ready(const std::string& board) const {
  return std::ranges::any_of(
      entries_, [&](const auto& item) { return item.first.first == board && item.second.tree; });
}

std::optional<MonotonicTime> TreeMakers::step(MonotonicTime now) {
  std::optional<MonotonicTime> next;
  for (auto& [key, child] : entries_) {
    if (child.tree) {
      continue;
    }
    if (child.until > now) {
      next = next ? std::min(*next, child.until) : child.until;
      continue;
    }
    log_error(fmt::format("the maker of the working tree of run {} on {} is stuck, and is killed",
                          key.second, key.first));
    ::syscall(SYS_pidfd_send_signal, child.pidfd.get(), SIGKILL, nullptr, 0);
    forget(child);
    child.tree = fail(ErrorCode::busy, "the working tree could not be made in time",
                      "does the disk answer? It is tried again");
  }
  return next;
}

int make_tree(const std::vector<std::string>& arguments) {
  if (arguments.size() != 5) {
    return traits(ErrorCode::usage).exit_status;
  }
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, nullptr);
  const Fd stop(::signalfd(-1, &term, SFD_CLOEXEC));
  const auto given = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  home::Git git(k_term, stop.get());
  const std::string answer = encoded(
      home::prepare_worktree(home::Home{arguments[0]}.board(arguments[1]),
                             {arguments[2], given(arguments[3]), given(arguments[4])}, git));
  const ssize_t put = ::write(STDOUT_FILENO, answer.data(), answer.size());
  return put == static_cast<ssize_t>(answer.size()) ? 0 : 1;
}

}  // namespace hermes::daemon
