#include "daemon/own_unit.hpp"

#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "daemon/bus.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::daemon {

namespace {

constexpr std::size_t k_proc_bytes = 64 * 1024;
constexpr std::uint64_t k_patience_us = 1'000'000;
constexpr const char* k_service_interface = "org.freedesktop.systemd1.Service";

struct Free {
  void operator()(char* text) const { std::free(text); }
};
using Text = std::unique_ptr<char, Free>;

std::string word_of(sd_bus* bus, const char* unit, const char* property) {
  char* word = nullptr;
  const int status = sd_bus_get_property_string(bus, k_systemd, unit, k_service_interface, property,
                                                nullptr, &word);
  const Text owned(word);
  return status < 0 ? "" : word;
}

bool is_main(sd_bus* bus, const char* unit) {
  std::uint32_t pid = 0;
  const int status = sd_bus_get_property_trivial(bus, k_systemd, unit, k_service_interface,
                                                 "MainPID", nullptr, 'u', &pid);
  return status >= 0 && (pid == static_cast<std::uint32_t>(::getpid()) ||
                         pid == static_cast<std::uint32_t>(::getppid()));
}

}  // namespace

std::optional<InService> service_of(std::string_view groups) {
  for (const std::string& line : split_list(groups, '\n')) {
    const auto last = line.rfind('/');
    // The tree that systemd keeps: of version 2, or its own of version 1.
    const bool kept = line.starts_with("0::") || line.find(":name=systemd:") != std::string::npos;
    if (kept && last != std::string::npos && line.ends_with(".service")) {
      return InService{line.substr(last + 1), line.find("/user@") != std::string::npos};
    }
  }
  return std::nullopt;
}

std::optional<KillingUnit> killing_unit(const std::filesystem::path& user_manager) {
  const auto groups = read_file("/proc/self/cgroup", k_proc_bytes);
  const auto in = groups ? service_of(*groups) : std::nullopt;
  if (!in) {
    return std::nullopt;
  }
  Bus bus;
  sd_bus* system = nullptr;
  const int opened =
      in->of_user ? open_private_bus(bus, user_manager) : sd_bus_open_system(&system);
  if (system != nullptr) {
    bus.reset(system);
  }
  char* path = nullptr;
  if (opened < 0 || sd_bus_set_method_call_timeout(bus.get(), k_patience_us) < 0 ||
      sd_bus_path_encode("/org/freedesktop/systemd1/unit", in->name.c_str(), &path) < 0) {
    return std::nullopt;
  }
  const Text unit(path);
  const std::string mode = word_of(bus.get(), path, "KillMode");
  const bool kills = mode == "control-group" || mode == "mixed";
  const bool ends_with_us =
      word_of(bus.get(), path, "Type") == "oneshot" || is_main(bus.get(), path);
  return kills && ends_with_us ? std::optional(KillingUnit{in->name, mode}) : std::nullopt;
}

}  // namespace hermes::daemon
