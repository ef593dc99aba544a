#include "cli/host.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "cli/output.hpp"
#include "cli/print.hpp"
#include "cli/programs.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/terminal.hpp"
#include "kernel/base/text.hpp"
#include "mcp/server.hpp"
#include "verbs/programs.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_pipe_piece =
    4096;  // PIPE_BUF: what a writable pipe takes without blocking (pipe(7))

constexpr Millis k_start_patience = std::chrono::seconds{10};
constexpr std::size_t k_environment_bytes = 4 * 1024 * 1024;
constexpr std::size_t k_log_bytes = 64 * 1024 * 1024;

// From here on these signals arrive at the descriptor that is answered, and nowhere else.
Fd signals_at_descriptor(std::initializer_list<int> numbers) {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int number : numbers) {
    sigaddset(&mask, number);
  }
  sigprocmask(SIG_BLOCK, &mask, nullptr);
  return Fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Holds these signals at a descriptor as long as it lives. One that came and was not taken arrives
// at its end as it would have without it.
class SignalsHeld {
 public:
  SignalsHeld(std::initializer_list<int> numbers) {
    sigprocmask(SIG_BLOCK, nullptr, &before_);
    fd_ = signals_at_descriptor(numbers);
  }
  ~SignalsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  int fd() const { return fd_.get(); }
  // All that have come; false when there was none.
  bool take() const {
    bool came = false;
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
      came = true;
    }
    return came;
  }

 private:
  sigset_t before_{};
  Fd fd_;
};

// Looks every 10 ms: nothing tells of a lock that is taken.
template <class Condition>
bool wait_until(Condition condition, Millis limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(Millis{10});
  }
  return true;
}

}  // namespace

verbs::Environment environment() {
  verbs::Environment out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos) {
      out.variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  out.now = wall_clock_now();
  return out;
}

std::string TerminalHost::holder() {
  const HostIdentity host = this_host();
  const pid_t pid = ::getpid();
  return fmt::format("{}/{}/{}/{}", host.machine, host.boot, pid, process_start(pid).value_or(0));
}

home::DispatcherState TerminalHost::dispatcher_state(const home::Home& home) {
  return home::dispatcher_state(home);
}

std::string TerminalHost::find_program(std::string_view name) { return cli::find_program(name); }

Result<int> TerminalHost::run_dispatcher(const std::vector<std::string>& arguments,
                                         Handover handover) {
  const std::string path = cli::find_program("hermes-dispatcher");
  if (path.empty()) {
    return std::unexpected(verbs::missing_program("hermes-dispatcher", environment()));
  }
  return handover == Handover::replace ? become_program(path, arguments)
                                       : run_quietly(path, arguments);
}

Result<int> TerminalHost::serve_agents(bool orchestrator) {
  return mcp::serve({orchestrator, environment().variables}, *this);
}

Result<verbs::Host::ProgramEnd> TerminalHost::run_program(const std::vector<std::string>& argv,
                                                          Millis limit) {
  return run_and_read(argv, limit);
}

Result<home::ChildEnd> TerminalHost::run_child(const home::ChildCommand& command, Millis limit) {
  const SignalsHeld signals{SIGINT, SIGTERM, SIGHUP};
  auto end = home::run_child(command, std::chrono::steady_clock::now() + limit, signals.fd());
  if (signals.take() && end) {  // also one that came as the child was ending
    end->kind = home::ChildEnd::Kind::cancelled;
  }
  return end;
}

Result<int> TerminalHost::run_attached(const std::vector<std::string>& argv,
                                       const std::vector<std::string>& environment) {
  return cli::run_attached(argv, environment);
}

Result<void> TerminalHost::edit(const std::filesystem::path& file) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    return fail(ErrorCode::usage, "there is no terminal to edit in",
                "use --set KEY=VALUE, for example --set max_runtime=2h");
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment().variables) {
    lines.push_back(name + "=" + value);
  }
  // Both may hold arguments, so a shell takes them apart, as git and others do.
  TRY_ASSIGN(
      const int status,
      cli::run_attached({"/bin/sh", "-c", R"(${VISUAL:-${EDITOR:-vi}} "$1")", "sh", file.string()},
                        lines));
  if (status != 0) {
    return fail(ErrorCode::conflict, fmt::format("the editor ended with {}", status),
                "nothing was changed; VISUAL or EDITOR names another one");
  }
  return {};
}

Result<void> TerminalHost::start_dispatcher(const home::Home& home,
                                            const std::filesystem::path& log) {
  const std::string path = cli::find_program("hermes-dispatcher");
  if (path.empty()) {
    return std::unexpected(verbs::missing_program("hermes-dispatcher", environment()));
  }
  std::error_code ignored;
  const auto text_before = fs::exists(log, ignored) ? fs::file_size(log, ignored) : 0;
  TRY_ASSIGN(const pid_t pid, start_in_background(path, {}, log));
  const bool serves = wait_until(
      [&] { return home::dispatcher_state(home).alive || has_ended(pid); }, k_start_patience);
  if (serves && !has_ended(pid)) {
    return {};
  }
  if (!serves) {
    return fail(ErrorCode::unavailable,
                fmt::format("the dispatcher (PID {}) does not serve the home after {} s, and still "
                            "tries",
                            pid, k_start_patience.count() / 1000),
                "look again with `hermes dispatcher status`; its log is " + log.string());
  }
  std::string said;
  if (auto text = read_file(log, k_log_bytes)) {
    said = text->substr(std::min<std::size_t>(text_before, text->size()));
  }
  return fail(ErrorCode::unavailable,
              fmt::format("the dispatcher did not start: {}",
                          said.empty() ? "it said nothing" : std::string(trim(said))),
              "its log is " + log.string());
}

Result<void> TerminalHost::stop_dispatcher(const home::Home& home, Millis limit) {
  const home::DispatcherState state = home::dispatcher_state(home);
  if (!state.alive) {
    return {};
  }
  if (!state.pid) {
    return fail(ErrorCode::unavailable, "the dispatcher's PID is not visible from here",
                "stop it where it was started");
  }
  // The PID is the holder's as long as the lock is held after the process was opened.
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, *state.pid, 0)));
  if (!process || home::dispatcher_state(home).pid != state.pid) {
    return home::dispatcher_state(home).alive
               ? Result<void>(
                     fail(ErrorCode::unavailable, "the dispatcher changes just now", "try again"))
               : Result<void>{};
  }
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) != 0) {
    return std::unexpected(
        system_error("signal", fmt::format("the dispatcher (PID {})", *state.pid), errno));
  }
  pollfd ended{process.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(limit.count())) != 1) {
    return fail(ErrorCode::unavailable,
                fmt::format("the dispatcher (PID {}) has not ended yet", *state.pid),
                "look at it with ps, or kill it: workers go on and nothing is lost");
  }
  return {};
}

std::optional<std::string> TerminalHost::variable_of(pid_t pid, std::string_view name) {
  const auto text = read_file(fmt::format("/proc/{}/environ", pid), k_environment_bytes);
  if (!text) {
    return std::nullopt;
  }
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string(entry.substr(name.size() + 1));
    }
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
  return std::nullopt;
}

Result<std::string> TerminalHost::read_input(std::size_t most) {
  std::string text;
  while (text.size() <= most) {
    char piece[16384];
    const ssize_t got = ::read(STDIN_FILENO, piece, sizeof piece);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::unexpected(system_error("read", "standard input", errno));
    }
    if (got == 0) {
      return text;
    }
    text.append(piece, static_cast<std::size_t>(got));
  }
  return fail(ErrorCode::invalid, fmt::format("standard input is longer than {} bytes", most),
              "shorten it, or keep the material in a file and name the file");
}

void TerminalHost::begin(const verbs::Json& facts) {
  signals_ = signals_at_descriptor({SIGINT, SIGTERM});
  if (json_) {
    return;
  }
  if (::isatty(STDOUT_FILENO) == 1) {
    put_in_stream(stream_header(facts));
  } else {  // who reads a pipe wants events alone
    put_err(stream_header(facts));
  }
}

bool TerminalHost::emit(const verbs::Json& item) {
  return put_in_stream(
      json_
          ? printable_json(item.dump(-1, ' ', false, verbs::Json::error_handler_t::replace)) + "\n"
          : stream_line(item, now()));
}

// In pieces that cannot block, so that a signal ends the stream although nobody takes what is
// written.
bool TerminalHost::put_in_stream(std::string_view text) {
  while (!text.empty()) {
    pollfd items[] = {{STDOUT_FILENO, POLLOUT, 0}, {signals_.get(), POLLIN, 0}};
    if (::poll(items, 2, -1) < 0 && errno != EINTR) {
      return false;
    }
    if ((items[1].revents & POLLIN) != 0 || (items[0].revents & POLLERR) != 0) {
      return false;
    }
    if ((items[0].revents & (POLLOUT | POLLHUP | POLLNVAL)) != 0) {
      const std::string_view piece = text.substr(0, k_pipe_piece);
      if (!put_out(piece)) {
        return false;
      }
      text.remove_prefix(piece.size());
    }
  }
  return true;
}

namespace {

// The alternate screen with its own cursor, which is hidden, and lines that are cut at the edge
// instead of broken (xterm's ctlseqs: private modes 1049, 25 and 7).
constexpr std::string_view k_enter_screen = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view k_leave_screen = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr Millis k_between_pictures{50};

}  // namespace

Result<void> TerminalHost::begin_screen() {
  const char* term = ::getenv("TERM");
  if (::isatty(STDOUT_FILENO) != 1 || term == nullptr || std::string_view(term) == "dumb") {
    return fail(ErrorCode::usage, "standard output is no terminal to draw on",
                "`hermes kanban watch` is for pipes: it prints each event as it is committed");
  }
  signals_ = signals_at_descriptor({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
  screen_signals_ = signals_at_descriptor({SIGWINCH, SIGTSTP});
  on_screen_ = true;
  put_out(k_enter_screen);
  return {};
}

verbs::Host::Screen TerminalHost::screen() {
  const Screen told{terminal_rows(STDOUT_FILENO), terminal_columns(STDOUT_FILENO)};
  return told.rows == 0 || told.columns == 0 ? Screen{24, 80} : told;  // a VT100's
}

// Everything at once, each line over the old one, so that nothing flickers.
bool TerminalHost::draw(const verbs::Json& picture) {
  using Clock = std::chrono::steady_clock;
  if (drawn_at_) {
    const auto left =
        std::chrono::ceil<Millis>(*drawn_at_ + k_between_pictures - Clock::now()).count();
    pollfd end{signals_.get(), POLLIN, 0};
    if (left > 0 && ::poll(&end, 1, static_cast<int>(left)) > 0) {
      return false;
    }
  }
  drawn_at_ = Clock::now();
  const Screen size = screen();
  return put_in_stream("\x1b[H" +
                       screen_text(picture, style_of_output(), size.rows, size.columns, now()) +
                       "\x1b[J");
}

void TerminalHost::end_screen() {
  if (on_screen_) {
    on_screen_ = false;
    put_out(k_leave_screen);
  }
}

// After Ctrl-Z the shell has its screen until `fg`.
void TerminalHost::redress_screen() {
  signalfd_siginfo info{};
  while (::read(screen_signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTSTP) {
      put_out(k_leave_screen);
      ::raise(SIGSTOP);
      put_out(k_enter_screen);
    }
  }
}

verbs::Host::Woken TerminalHost::wait_for(const db::GateWatch& watch, std::optional<Millis> limit) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + limit.value_or(Millis{0});
  while (true) {
    // A pipe whose reader has gone reports an error although nothing is asked of it. Only streams
    // care.
    pollfd items[] = {{watch.fd(), POLLIN, 0},
                      {signals_.get(), POLLIN, 0},
                      {signals_ ? STDOUT_FILENO : -1, 0, 0},
                      {screen_signals_.get(), POLLIN, 0}};
    int wait_ms = -1;
    if (limit) {
      wait_ms = static_cast<int>(
          std::max<std::int64_t>(0, std::chrono::ceil<Millis>(deadline - Clock::now()).count()));
    }
    const int ready = ::poll(items, std::size(items), wait_ms);
    if (ready == 0) {
      return Woken::timeout;
    }
    if (ready < 0 && errno != EINTR) {
      return Woken::stopped;
    }
    if ((items[1].revents & POLLIN) != 0 ||
        (items[2].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
      return Woken::stopped;
    }
    if ((items[3].revents & POLLIN) != 0) {
      redress_screen();
      return Woken::changed;
    }
    if (items[0].revents != 0) {
      return Woken::changed;
    }
  }
}

void TerminalHost::give_up_after(Millis limit) {
  ::signal(SIGALRM, [](int) { ::_exit(0); });
  const itimerval once{{0, 0}, {limit.count() / 1000, limit.count() % 1000 * 1000}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
}

}  // namespace hermes::cli
