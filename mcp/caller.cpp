#include "mcp/caller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <new>

namespace hermes::mcp {

namespace {

// A bug of ours costs one call, not the session.
Outcome outcome_of(const Work& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return refused(k_internal_error, "there is not enough memory for it");
  } catch (const std::exception& problem) {
    return refused(k_internal_error, std::string("unexpected: ") + problem.what());
  }
}

}  // namespace

Caller::Caller()
    : done_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

Caller::~Caller() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Caller::begin(Work work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = std::move(work);
  }
  wake_.notify_one();
}

std::optional<Outcome> Caller::take() {
  std::uint64_t count = 0;
  (void)!::read(done_event_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  std::optional<Outcome> done = std::move(done_);
  done_.reset();
  return done;
}

void Caller::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return work_ || ending_; });
    if (!work_) {
      return;
    }
    const Work work = std::move(*work_);
    work_.reset();
    lock.unlock();
    Outcome outcome = outcome_of(work);
    lock.lock();
    done_ = std::move(outcome);
    const std::uint64_t one = 1;
    (void)!::write(done_event_.get(), &one, sizeof one);
  }
}

}  // namespace hermes::mcp
