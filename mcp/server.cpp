#include "mcp/server.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <new>
#include <optional>
#include <utility>
#include <variant>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "mcp/caller.hpp"
#include "mcp/frames.hpp"
#include "mcp/methods.hpp"

namespace hermes::mcp {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t k_frame_bytes =
    40 * 1024 * 1024;  // an attachment of 25 MiB as base64, and room
constexpr std::size_t k_piece = 64 * 1024;
constexpr std::size_t k_pipe_piece = 4096;  // PIPE_BUF: a writable pipe takes it without blocking
// From here on nothing is read until the client has taken answers, or calls are done.
constexpr std::size_t k_most_unsent = 8 * 1024 * 1024;
constexpr std::size_t k_most_waiting = 256;
constexpr std::size_t k_most_waiting_bytes = 64 * 1024 * 1024;
constexpr std::chrono::seconds k_patience_at_end{5};

// To standard error, unless nobody takes it: a log must not stop the server.
void log(std::string_view text) {
  pollfd item{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&item, 1, 0) == 1 && (item.revents & POLLOUT) != 0) {
    const std::string line = fmt::format("hermes mcp: {}\n", printable(clip(text, 1000)));
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  }
}

struct Waiting {
  Json id;
  Work work;
  std::size_t bytes = 0;  // of its message
};

class Server {
 public:
  Server(Session& session, Fd in, Fd out, Fd signals)
      : in_(std::move(in)),
        out_(std::move(out)),
        signals_(std::move(signals)),
        session_(session),
        methods_(session) {}

  int run() {
    while (!over()) {
      look();
    }
    if (running_) {  // its change is committed whole or not at all, whenever we end
      ::_exit(0);
    }
    return 0;
  }

 private:
  // How a session ends: `draining` finishes what was asked, `stopping` what has begun.
  enum class State { open, draining, stopping, reader_gone };

  bool over() const {
    if (state_ == State::open) {
      return false;
    }
    if (state_ == State::reader_gone) {
      return !running_ || past_deadline();
    }
    const bool idle = !running_ && waiting_.empty() && frames_.empty();
    return (idle && unsent_.empty()) || past_deadline();
  }
  bool past_deadline() const { return deadline_ && SteadyClock::now() >= *deadline_; }
  void end_within_patience() {
    if (!deadline_) {
      deadline_ = SteadyClock::now() + k_patience_at_end;
    }
  }
  // Nobody asks any more; who takes no answers either is not waited for, whatever is still to do.
  void expect_progress(bool some) {
    if (some || unsent_.empty()) {
      deadline_.reset();
    }
    if (!unsent_.empty()) {
      end_within_patience();
    }
  }

  bool may_take_in() const {
    return unsent_.size() < k_most_unsent && waiting_.size() < k_most_waiting &&
           waiting_bytes_ < k_most_waiting_bytes;
  }

  void look();
  void read_input();
  void write_output();
  void take_signals();
  void take_outcome();
  void take_frames();
  void take_message(std::string_view text);
  void take_request(Request& request, std::size_t bytes);
  void take_notification(const Notification& notification);
  void cancel(const Json& id);
  void begin_next();
  void send(const Json& id, const Outcome& outcome) { unsent_ += response_line(id, outcome); }
  void reader_is_gone();

  Fd in_;
  Fd out_;
  Fd signals_;
  Session& session_;
  Methods methods_;
  Frames frames_{k_frame_bytes};
  std::string unsent_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::optional<Json> running_;   // the id of the request that the caller is at
  bool answer_is_wanted_ = true;  // of the running one
  bool pause_ = false;            // SIGTSTP came
  State state_ = State::open;
  std::optional<SteadyClock::time_point> deadline_;
  Caller caller_;
};

void Server::look() {
  pollfd items[] = {{state_ == State::open && may_take_in() ? in_.get() : -1, POLLIN, 0},
                    {out_.get(), static_cast<short>(unsent_.empty() ? 0 : POLLOUT), 0},
                    {caller_.fd(), POLLIN, 0},
                    {signals_.get(), POLLIN, 0}};
  int wait_ms = -1;
  if (deadline_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - SteadyClock::now());
    wait_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }
  if (::poll(items, std::size(items), wait_ms) < 0 && errno != EINTR) {
    reader_is_gone();
    return;
  }
  if (items[3].revents != 0) {
    take_signals();
  }
  if (items[2].revents != 0) {
    take_outcome();
  }
  if (items[0].revents != 0) {
    read_input();
  }
  take_frames();
  begin_next();
  if ((items[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
    reader_is_gone();
  } else if (!unsent_.empty()) {
    write_output();
  }
  if (pause_ && !running_) {  // never while a call may hold the write gate
    pause_ = false;
    ::raise(SIGSTOP);
    begin_next();  // what came while it was stopped
  }
}

void Server::read_input() {
  char piece[k_piece];
  const ssize_t got = ::read(in_.get(), piece, sizeof piece);
  if (got > 0) {
    frames_.add({piece, static_cast<std::size_t>(got)});
  } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
    frames_.finish();
    state_ = State::draining;
  }
}

// As long as it does not block.
void Server::write_output() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    pollfd item{out_.get(), POLLOUT, 0};
    if (::poll(&item, 1, 0) != 1 || (item.revents & POLLOUT) == 0) {
      break;
    }
    const ssize_t wrote =
        ::write(out_.get(), unsent_.data() + sent, std::min(unsent_.size() - sent, k_pipe_piece));
    if (wrote < 0 && errno != EINTR && errno != EAGAIN) {
      reader_is_gone();
      return;
    }
    sent += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
  unsent_.erase(0, sent);
  if (state_ == State::draining) {
    expect_progress(sent > 0);
  }
}

void Server::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTSTP) {
      pause_ = true;
      continue;
    }
    if (state_ != State::reader_gone) {
      state_ = State::stopping;
    }
    waiting_.clear();
    waiting_bytes_ = 0;
    frames_ = Frames(k_frame_bytes);
    session_.cancellation().request();
    end_within_patience();
  }
}

void Server::take_outcome() {
  const auto outcome = caller_.take();
  if (!outcome || !running_) {
    return;
  }
  if (answer_is_wanted_) {
    send(*running_, *outcome);
  }
  running_.reset();
}

void Server::take_frames() {
  while (state_ != State::reader_gone && may_take_in()) {
    const auto frame = frames_.next();
    if (!frame) {
      return;
    }
    if (frame->too_long) {
      const std::string message =
          fmt::format("the message is longer than {} MiB", k_frame_bytes / (1024 * 1024));
      log("refused: " + message);
      send(nullptr, refused(k_invalid_request, message));
    } else {
      try {
        take_message(frame->text);
      } catch (const std::bad_alloc&) {
        send(nullptr, refused(k_internal_error, "there is not enough memory for the message"));
      }
    }
  }
}

void Server::take_message(std::string_view text) {
  Message message = parse_message(text);
  if (auto* request = std::get_if<Request>(&message)) {
    take_request(*request, text.size());
  } else if (const auto* notification = std::get_if<Notification>(&message)) {
    take_notification(*notification);
  } else if (const auto* malformed = std::get_if<Malformed>(&message)) {
    log("refused: " + malformed->error.message);
    send(malformed->id, std::unexpected(malformed->error));
  }
}

void Server::take_request(Request& request, std::size_t bytes) {
  const bool in_use =
      running_ == request.id ||
      std::ranges::any_of(waiting_, [&](const Waiting& one) { return one.id == request.id; });
  if (in_use) {
    // Under that id it would pass for the answer to the first one.
    const std::string message =
        fmt::format("id {} belongs to a request that is not answered yet",
                    clip(request.id.dump(-1, ' ', false, Json::error_handler_t::replace), 200));
    log("refused: " + message);
    send(nullptr, refused(k_invalid_request, message));
    return;
  }
  Reply reply = methods_.receive(request);
  if (const auto* outcome = std::get_if<Outcome>(&reply)) {
    send(request.id, *outcome);
    return;
  }
  waiting_.push_back({std::move(request.id), std::get<Work>(std::move(reply)), bytes});
  waiting_bytes_ += bytes;
}

void Server::take_notification(const Notification& notification) {
  if (notification.method == "notifications/cancelled") {
    cancel(notification.params.value("requestId", Json()));
  }
}

// One that waits is not begun. One that runs makes no change any more unless it has begun to, and
// is not answered.
void Server::cancel(const Json& id) {
  if (running_ == id) {
    answer_is_wanted_ = false;
    session_.cancellation().request();
    return;
  }
  const auto found = std::ranges::find(waiting_, id, &Waiting::id);
  if (found != waiting_.end()) {
    waiting_bytes_ -= found->bytes;
    waiting_.erase(found);
  }
}

void Server::begin_next() {
  if (running_ || pause_ || waiting_.empty() || unsent_.size() >= k_most_unsent ||
      state_ == State::reader_gone) {
    return;
  }
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= next.bytes;
  session_.cancellation().forget();
  running_ = std::move(next.id);
  answer_is_wanted_ = true;
  caller_.begin(std::move(next.work));
}

void Server::reader_is_gone() {
  state_ = State::reader_gone;
  out_.reset();
  waiting_.clear();
  unsent_.clear();
  session_.cancellation().request();
  end_within_patience();
}

// Standard input and output become ours alone: a stray line would break the protocol.
Result<Fd> taken(int from, const char* instead, int flags) {
  Fd own(::fcntl(from, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!own) {
    return std::unexpected(system_error("use", "standard input and output", errno));
  }
  const Fd other(instead == nullptr ? ::dup(STDERR_FILENO) : ::open(instead, flags | O_CLOEXEC));
  if (other) {
    ::dup2(other.get(), from);
  }
  return own;
}

Fd signals_at_descriptor() {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) {
    sigaddset(&mask, number);
  }
  sigprocmask(SIG_BLOCK, &mask, nullptr);
  return Fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Result<int> serve(const Options& options, verbs::Host& host) {
  TRY_ASSIGN(Fd in, taken(STDIN_FILENO, "/dev/null", O_RDONLY));
  TRY_ASSIGN(Fd out, taken(STDOUT_FILENO, nullptr, 0));
  Session session(options.variables, options.orchestrator, host);
  Server server(session, std::move(in), std::move(out), signals_at_descriptor());
  return server.run();
}

}  // namespace hermes::mcp
