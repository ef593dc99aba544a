#include "mcp/host.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace hermes::mcp {

Cancellation::Cancellation() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Cancellation::request() {
  requested_ = true;
  const std::uint64_t one = 1;
  (void)!::write(event_.get(), &one, sizeof one);
}

void Cancellation::forget() {
  std::uint64_t count = 0;
  (void)!::read(event_.get(), &count, sizeof count);
  requested_ = false;
}

Result<int> CallHost::run_dispatcher(const std::vector<std::string>& arguments, Handover handover) {
  if (handover == Handover::replace) {
    return fail(ErrorCode::forbidden, "a server of agents does not become the dispatcher");
  }
  return program_.run_dispatcher(arguments, handover);
}

Result<std::string> CallHost::read_input(std::size_t most) {
  if (input_.size() > most) {
    return fail(ErrorCode::invalid,
                fmt::format("{} bytes were given, and at most {} are kept", input_.size(), most),
                "shorten it, or keep the material in a file and name the file");
  }
  return std::move(input_);
}

verbs::Host::Woken CallHost::wait_for(const db::GateWatch& watch, std::optional<Millis> limit) {
  pollfd items[] = {{watch.fd(), POLLIN, 0}, {cancellation_.fd(), POLLIN, 0}};
  const auto longest = static_cast<std::int64_t>(std::numeric_limits<int>::max());
  const int wait_ms =
      limit ? static_cast<int>(std::clamp<std::int64_t>(limit->count(), 0, longest)) : -1;
  const int ready = ::poll(items, std::size(items), wait_ms);
  if (ready == 0) {
    return Woken::timeout;
  }
  return ready < 0 || items[1].revents != 0 ? Woken::stopped : Woken::changed;
}

}  // namespace hermes::mcp
