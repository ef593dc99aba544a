#include "daemon/own_unit.hpp"

#include <systemd/sd-bus.h>

#include <cstdlib>
#include <memory>

#include "daemon/bus.hpp"
#include "kernel/base/text.hpp"

namespace hermes::daemon {

namespace {

constexpr std::chrono::seconds k_patience{1};
constexpr std::string_view k_suffix = ".service";

// What a service says of itself (org.freedesktop.systemd1(5)).
struct Said {
  bool answered = false;
  std::string type;
  std::string kill_mode;
  std::string exit_type;
  std::uint32_t main_pid = 0;
  bool remains = false;
};

template <class Value>
int read_variant(sd_bus_message* message, const char* type, Value& value) {
  return sd_bus_message_read(message, "v", type, &value);
}

int read_text(sd_bus_message* message, std::string& text) {
  const char* value = nullptr;
  const int status = read_variant(message, "s", value);
  text = status < 0 ? "" : value;
  return status;
}

int read_property(sd_bus_message* message, std::string_view name, Said& said) {
  if (name == "Type") {
    return read_text(message, said.type);
  }
  if (name == "KillMode") {
    return read_text(message, said.kill_mode);
  }
  if (name == "ExitType") {
    return read_text(message, said.exit_type);
  }
  if (name == "MainPID") {
    return read_variant(message, "u", said.main_pid);
  }
  if (name == "RemainAfterExit") {
    int remains = 0;
    const int status = read_variant(message, "b", remains);
    said.remains = remains != 0;
    return status;
  }
  return sd_bus_message_skip(message, "v");
}

int take_properties(sd_bus_message* message, void* said_of, sd_bus_error*) {
  Said& said = *static_cast<Said*>(said_of);
  said.answered = true;
  int status = sd_bus_message_enter_container(message, 'a', "{sv}");
  while (status >= 0 && sd_bus_message_enter_container(message, 'e', "sv") > 0) {
    const char* name = nullptr;
    status = sd_bus_message_read(message, "s", &name);
    if (status >= 0) {
      status = read_property(message, name, said);
    }
    if (status >= 0) {
      status = sd_bus_message_exit_container(message);
    }
  }
  return 0;
}

Said ask(const InService& service, const std::filesystem::path& user_manager) {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + k_patience;
  Said said;
  Bus bus;
  int status = service.of_user ? open_private_bus(bus, user_manager) : open_system_bus(bus);
  char* made = nullptr;
  if (status >= 0) {
    status = sd_bus_path_encode("/org/freedesktop/systemd1/unit", service.name.c_str(), &made);
  }
  const std::unique_ptr<char, decltype(&std::free)> path(made, &std::free);
  if (status >= 0) {
    status = sd_bus_call_method_async(bus.get(), nullptr, k_systemd, made,
                                      "org.freedesktop.DBus.Properties", "GetAll", take_properties,
                                      &said, "s", "org.freedesktop.systemd1.Service");
  }
  if (status >= 0) {
    (void)work_until(bus.get(), deadline, [&] { return said.answered; });
  }
  return said;
}

}  // namespace

std::optional<InService> service_of(std::string_view groups) {
  for (const std::string& line : split_list(groups, '\n')) {
    // The tree that systemd keeps: of version 2, or its own of version 1.
    if (!line.starts_with("0::") && line.find(":name=systemd:") == std::string::npos) {
      continue;
    }
    // The innermost service; it may have groups of its own below.
    for (std::string path = line; path.find('/') != std::string::npos;
         path.resize(path.rfind('/'))) {
      std::string name = path.substr(path.rfind('/') + 1);
      // Where it would read as something of the kernel's, systemd puts "_" before it.
      name.erase(0, name.starts_with('_') ? 1 : 0);
      if (name.starts_with("user@") && name.ends_with(k_suffix)) {
        return std::nullopt;  // what ends with the user's systemd itself is no concern of ours
      }
      if (name.ends_with(k_suffix)) {
        return InService{name, line.find("/user@") != std::string::npos};
      }
    }
  }
  return std::nullopt;
}

std::optional<KillingUnit> killing_unit(std::string_view groups, pid_t pid,
                                        const std::filesystem::path& user_manager) {
  const auto service = service_of(groups);
  if (!service) {
    return std::nullopt;
  }
  const Said said = ask(*service, user_manager);
  // One that ends with its last process waits for the workers.
  if ((said.kill_mode != "control-group" && said.kill_mode != "mixed") ||
      said.exit_type == "cgroup") {
    return std::nullopt;
  }
  const bool is_main = said.main_pid == static_cast<std::uint32_t>(pid);
  return KillingUnit{service->name, said.kill_mode,
                     is_main || (said.type == "oneshot" && !said.remains)};
}

}  // namespace hermes::daemon
