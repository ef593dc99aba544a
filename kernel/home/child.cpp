#include "kernel/home/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"

namespace hermes::home {

namespace {

using std::chrono::steady_clock;

constexpr int k_term_grace_ms = 2000;
constexpr int k_kill_grace_ms = 5000;
constexpr int k_inherited_number = 3;
constexpr int k_most_pieces = 64;  // of 16 KiB: as much as a pipe can hold

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe(const std::string& program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::unexpected(system_error("create a pipe for", program, errno));
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// The input as a file without a name: nobody has to feed it while the output is read.
Result<Fd> input_file(const std::string& text, const std::string& program) {
  Fd file(::memfd_create("input", MFD_CLOEXEC));
  for (std::size_t at = 0; file && at < text.size();) {
    const ssize_t put = ::write(file.get(), text.data() + at, text.size() - at);
    if (put < 0 && errno != EINTR) {
      return std::unexpected(system_error("write the input of", program, errno));
    }
    at += static_cast<std::size_t>(std::max<ssize_t>(put, 0));
  }
  if (!file || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return std::unexpected(system_error("prepare the input of", program, errno));
  }
  return file;
}

// posix_spawn(3) objects, destroyed on every way out.
struct SpawnPlan {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};

  SpawnPlan(int in, int out, int err, const ChildCommand& command) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    if (in >= 0) {
      posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    } else {
      posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    if (command.inherited >= 0) {
      posix_spawn_file_actions_adddup2(&files, command.inherited, k_inherited_number);
    }
    posix_spawn_file_actions_addclosefrom_np(
        &files, command.inherited >= 0 ? k_inherited_number + 1 : k_inherited_number);
    if (!command.directory.empty()) {
      posix_spawn_file_actions_addchdir_np(&files, command.directory.c_str());
    }
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

// What a pipe has brought so far.
class Taken {
 public:
  Taken(Fd from, std::string& into, std::size_t most, bool keep_end)
      : from_(std::move(from)), into_(into), most_(most), keep_end_(keep_end) {}

  int fd() const { return from_.get(); }  // -1 after its end: poll(2) passes over it
  bool overflowed() const { return overflowed_; }

  // No more than a writer that never stops would let us come back from.
  void drain() {
    std::array<char, 16 * 1024> bytes{};
    for (int piece = 0; from_ && piece < k_most_pieces; ++piece) {
      const ssize_t got = ::read(from_.get(), bytes.data(), bytes.size());
      if (got > 0) {
        add({bytes.data(), static_cast<std::size_t>(got)});
      } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        from_.reset();
      } else if (errno == EAGAIN) {
        return;
      }
    }
  }

 private:
  void add(std::string_view text) {
    overflowed_ = overflowed_ || into_.size() + text.size() > most_;
    if (keep_end_) {
      into_ += text;
      into_.erase(0, into_.size() > most_ ? into_.size() - most_ : 0);
    } else {
      into_.append(text.substr(0, most_ - into_.size()));
    }
  }

  Fd from_;
  std::string& into_;
  std::size_t most_;
  bool keep_end_;
  bool overflowed_ = false;
};

bool ends_within(const Fd& pidfd, int milliseconds) {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return ::poll(&ended, 1, milliseconds) == 1;
}

// SIGTERM first, so that it can clean up what it has begun.
void end_group(pid_t group, const Fd& pidfd) {
  ::kill(-group, SIGTERM);
  (void)ends_within(pidfd, k_term_grace_ms);
  ::kill(-group, SIGKILL);
  (void)ends_within(pidfd, k_kill_grace_ms);
}

int remaining_ms(steady_clock::time_point until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 24 * 3600 * 1000));
}

// Reaps it. Until then neither its PID nor its group can be another's.
void take_status(const Fd& pidfd, ChildEnd& end) {
  siginfo_t status{};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &status, WEXITED | WNOHANG);
  end.kind = status.si_code == CLD_EXITED ? ChildEnd::Kind::exited : ChildEnd::Kind::signaled;
  end.code = status.si_status;
}

Result<ChildEnd> attend(pid_t pid, const ChildCommand& command, Fd out_fd, Fd err_fd,
                        steady_clock::time_point until, int cancel_fd) {
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error_number = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return std::unexpected(system_error("watch", command.argv.front(), error_number));
  }
  ChildEnd end;
  Taken out(std::move(out_fd), end.out, command.out_bytes, false);
  Taken err(std::move(err_fd), end.err, command.err_bytes, true);
  const auto ended_by_us = [&](ChildEnd::Kind kind) {
    end_group(pid, pidfd);
    out.drain();
    err.drain();
    take_status(pidfd, end);
    end.kind = kind;
    return end;
  };
  for (bool ended = false; !ended;) {
    std::array<pollfd, 4> items{{{pidfd.get(), POLLIN, 0},
                                 {out.fd(), POLLIN, 0},
                                 {err.fd(), POLLIN, 0},
                                 {cancel_fd, POLLIN, 0}}};  // a negative one is passed over
    const int ready = ::poll(items.data(), items.size(), remaining_ms(until));
    ended = ready > 0 && items[0].revents != 0;
    if (ready > 0 && items[3].revents != 0 && !ended) {
      return ended_by_us(ChildEnd::Kind::cancelled);
    }
    if (!ended && remaining_ms(until) == 0) {
      return ended_by_us(ChildEnd::Kind::timed_out);
    }
    out.drain();
    err.drain();
    if (command.end_when_full && out.overflowed()) {
      return ended_by_us(ChildEnd::Kind::too_much_output);
    }
  }
  if (command.end_remains) {
    ::kill(-pid, SIGKILL);
  }
  take_status(pidfd, end);
  return end;
}

}  // namespace

Result<ChildEnd> run_child(const ChildCommand& command, steady_clock::time_point until,
                           int cancel_fd) {
  const std::string& program = command.argv.front();
  TRY_ASSIGN(Pipe out, make_pipe(program));
  TRY_ASSIGN(Pipe err, make_pipe(program));
  Fd input;
  if (!command.input.empty()) {
    TRY_ASSIGN(input, input_file(command.input, program));
  }
  const std::vector<char*> argv = pointers(command.argv);
  const std::vector<char*> env = pointers(command.environment);
  const SpawnPlan plan(input.get(), out.write.get(), err.write.get(), command);
  pid_t pid = -1;
  if (const int error_number = ::posix_spawnp(&pid, program.c_str(), &plan.files, &plan.attributes,
                                              argv.data(), env.data());
      error_number != 0) {
    return ChildEnd{
        .kind = ChildEnd::Kind::not_started, .code = error_number, .out = {}, .err = {}};
  }
  out.write.reset();
  err.write.reset();
  return attend(pid, command, std::move(out.read), std::move(err.read), until, cancel_fd);
}

}  // namespace hermes::home
