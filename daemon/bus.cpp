#include "daemon/bus.hpp"

#include <fmt/core.h>

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

}  // namespace hermes::daemon
