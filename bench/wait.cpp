#include "bench/wait.hpp"

#include <poll.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

namespace hermes::bench {

namespace {

volatile std::sig_atomic_t g_signal = 0;

void remember(int number) { g_signal = number; }

}  // namespace

void heed_signals() {
  struct sigaction action {};
  action.sa_handler = remember;  // no SA_RESTART: a wait has to return
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaction(number, &action, nullptr);
  }
}

void throw_if_interrupted() {
  if (g_signal != 0) {
    throw std::runtime_error("interrupted");
  }
}

void give_up(const std::string& what) { throw std::runtime_error("waited too long for " + what); }

void wait_readable(const std::string& what, int fd, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    throw_if_interrupted();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd item{fd, POLLIN, 0};
    if (left.count() <= 0) {
      give_up(what);
    }
    if (::poll(&item, 1, static_cast<int>(left.count())) > 0) {
      return;
    }
  }
}

}  // namespace hermes::bench
