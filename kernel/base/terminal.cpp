#include "kernel/base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace hermes {

std::size_t terminal_columns(int fd) {
  winsize size{};
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::size_t terminal_rows(int fd) {
  winsize size{};
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

std::size_t help_columns(int fd) {
  constexpr std::size_t k_most = 100;
  constexpr std::size_t k_least = 40;
  const std::size_t columns = terminal_columns(fd);
  return columns == 0 ? k_most : std::clamp(columns, k_least, k_most);
}

}  // namespace hermes
