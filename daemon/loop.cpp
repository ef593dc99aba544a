#include "daemon/loop.hpp"

#include <poll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <string>

#include "daemon/logger.hpp"

namespace hermes::daemon {

namespace asio = boost::asio;

struct Loop::State {
  explicit State(Settle function)
      : settle(std::move(function)),
        io(1),
        timer(io),
        pause(io),
        signals(io, SIGTERM, SIGINT, SIGHUP) {}

  void settle_now() {
    due = false;
    const auto next = settle();
    ended_at = std::chrono::steady_clock::now();
    timer.cancel();
    if (next && !stopped) {
      timer.expires_at(*next);
      timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
          wake();
        }
      });
    }
  }

  // Posted, not called: facts whose handlers are ready now are recorded first, so that one settle
  // sees them all.
  void wake() {
    if (due || stopped) {
      return;
    }
    due = true;
    if (const auto earliest = ended_at + gap; earliest > std::chrono::steady_clock::now()) {
      pause.expires_at(earliest);
      pause.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
          settle_now();
        }
      });
    } else {
      asio::post(io, [this] { settle_now(); });
    }
  }

  void await_signal(const std::function<void(int)>& fact) {
    signals.async_wait([this, fact](const boost::system::error_code& error, int number) {
      if (!error) {
        fact(number);
        await_signal(fact);
      }
    });
  }

  Settle settle;
  asio::io_context io;
  asio::steady_timer timer;  // until the next deadline
  asio::steady_timer pause;  // until the pace allows the next settle
  std::chrono::microseconds gap{0};
  MonotonicTime ended_at{};
  asio::signal_set signals;
  bool due = false;
  bool stopped = false;
};

namespace {

class DescriptorWatch final : public Loop::Watch {
 public:
  // The handler shares the body, so a watch that is dropped inside its own fact stays valid to the
  // end of it.
  struct Body : std::enable_shared_from_this<Body> {
    Body(asio::io_context& io, int fd, std::function<void()> function)
        : descriptor(io, fd), fact(std::move(function)) {}
    ~Body() {
      if (descriptor.is_open()) {
        descriptor.release();  // the caller's to close
      }
    }
    void await() {
      descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                            [self = shared_from_this()](const boost::system::error_code& error) {
                              if (error || self->dropped) {
                                return;
                              }
                              if (self->is_readable()) {
                                self->record();
                              }
                              if (!self->dropped) {
                                self->await();
                              }
                            });
    }
    // Asio completes a wait without looking, also for an event that was queued for a watch dropped
    // since, whose state in its pool this one has got. A worker must not be taken for ended because
    // of somebody else's event.
    bool is_readable() {
      pollfd item{descriptor.native_handle(), POLLIN, 0};
      return ::poll(&item, 1, 0) == 1;
    }
    // A root of execution: what escapes a fact must not end the loop.
    void record() const {
      try {
        fact();
      } catch (const std::exception& error) {
        log_error(std::string("an event could not be recorded: ") + error.what());
      }
    }
    asio::posix::stream_descriptor descriptor;
    std::function<void()> fact;
    bool dropped = false;
  };

  DescriptorWatch(asio::io_context& io, int fd, std::function<void()> fact)
      : body_(std::make_shared<Body>(io, fd, std::move(fact))) {
    body_->await();
  }
  ~DescriptorWatch() override {
    body_->dropped = true;
    body_->descriptor
        .release();  // cancels the wait and forgets the descriptor before its owner closes it
  }
  DescriptorWatch(const DescriptorWatch&) = delete;
  DescriptorWatch& operator=(const DescriptorWatch&) = delete;

 private:
  std::shared_ptr<Body> body_;
};

}  // namespace

Loop::Loop(Settle settle) : state_(std::make_unique<State>(std::move(settle))) {}
Loop::~Loop() = default;

std::unique_ptr<Loop::Watch> Loop::on_readable(int fd, std::function<void()> fact) {
  return std::make_unique<DescriptorWatch>(state_->io, fd, std::move(fact));
}

void Loop::on_signal(const std::function<void(int)>& fact) { state_->await_signal(fact); }

void Loop::wake() { state_->wake(); }

void Loop::pace(std::chrono::microseconds gap) { state_->gap = gap; }

void Loop::run() { state_->io.run(); }

void Loop::stop() {
  state_->stopped = true;
  state_->io.stop();
}

}  // namespace hermes::daemon
