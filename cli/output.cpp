#include "cli/output.hpp"

#include <unistd.h>

#include <cerrno>

namespace hermes::cli {

namespace {

bool g_out_failed = false;

// Errno of the failed write, 0 when all was written.
int put(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno != EINTR) {
      return errno;
    }
    text.remove_prefix(put < 0 ? 0 : static_cast<std::size_t>(put));
  }
  return 0;
}

}  // namespace

bool put_out(std::string_view text) {
  const int problem = put(STDOUT_FILENO, text);
  g_out_failed = g_out_failed || (problem != 0 && problem != EPIPE);
  return problem == 0;
}

void put_err(std::string_view text) { put(STDERR_FILENO, text); }

bool out_failed() { return g_out_failed; }

}  // namespace hermes::cli
