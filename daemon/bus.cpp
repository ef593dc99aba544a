#include "daemon/bus.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

namespace hermes::daemon {

namespace {

// As an address of D-Bus has it: other bytes are "%" and two hexadecimal digits.
std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_/.\\*").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

int open_private_bus(Bus& bus, const std::filesystem::path& socket) {
  sd_bus* made = nullptr;
  int status = sd_bus_new(&made);
  bus.reset(made);
  if (status >= 0) {
    status = sd_bus_set_address(made, ("unix:path=" + escaped(socket.string())).c_str());
  }
  return status < 0 ? status : sd_bus_start(made);
}

int open_system_bus(Bus& bus) {
  sd_bus* made = nullptr;
  const int status = sd_bus_open_system(&made);
  bus.reset(made);
  return status;
}

int work_until(sd_bus* bus, MonotonicTime deadline, const std::function<bool()>& done) {
  while (!done()) {
    const auto left =
        std::chrono::ceil<std::chrono::microseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    if (left <= 0) {
      return -ETIMEDOUT;
    }
    int status = sd_bus_process(bus, nullptr);
    if (status == 0) {
      status = sd_bus_wait(bus, static_cast<std::uint64_t>(left));
    }
    if (status < 0 && status != -EINTR) {
      return status;
    }
  }
  return 0;
}

}  // namespace hermes::daemon
