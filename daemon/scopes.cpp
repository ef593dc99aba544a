#include "daemon/scopes.hpp"

#include <fmt/core.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>

#include "daemon/bus.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/worker.hpp"

namespace hermes::daemon {

namespace fs = std::filesystem;

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds k_patience{1};
constexpr std::size_t k_proc_bytes = 64 * 1024;
constexpr const char* k_slice = "app-hermes.slice";
constexpr const char* k_manager_path = "/org/freedesktop/systemd1";
constexpr const char* k_manager = "org.freedesktop.systemd1.Manager";

Error no_scope(std::string_view why) {
  return {ErrorCode::unavailable,
          fmt::format("the user's systemd made no control group for the worker: {}",
                      printable(clip(why, 300))),
          "look at `systemctl --user status`; without limits.tree_memory and limits.tree_cpu a "
          "profile needs none"};
}

Error no_answer(int error_number) {
  Error error = no_scope(error_number == ETIMEDOUT ? "it has not answered for a second"
                                                   : std::strerror(error_number));
  error.code = ErrorCode::busy;
  return error;
}

// One request: StartTransientUnit answers with a job, and JobRemoved tells what came of it.
struct Asked {
  std::string job;
  std::optional<Result<void>> outcome;
};

struct MessageUnref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

int take_answer(sd_bus_message* message, void* asked_of, sd_bus_error*) {
  Asked& asked = *static_cast<Asked*>(asked_of);
  if (const sd_bus_error* error = sd_bus_message_get_error(message); error != nullptr) {
    // sd-bus itself answers in the place of one that has hung up.
    const bool gone = sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) != 0 ||
                      sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED) != 0;
    asked.outcome.emplace(std::unexpected(
        gone ? no_answer(ECONNRESET) : no_scope(error->message ? error->message : error->name)));
    return 0;
  }
  const char* job = nullptr;
  if (sd_bus_message_read(message, "o", &job) < 0) {
    asked.outcome.emplace(std::unexpected(no_scope("its answer is not understood")));
    return 0;
  }
  asked.job = job;
  return 0;
}

int take_removed_job(sd_bus_message* message, void* all_asked, sd_bus_error*) {
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0) {
    return 0;
  }
  for (Asked& asked : *static_cast<std::vector<Asked>*>(all_asked)) {
    if (!asked.outcome && asked.job == job) {
      asked.outcome.emplace();
      if (std::string_view(result) != "done") {
        asked.outcome.emplace(std::unexpected(no_scope(fmt::format("its job ended: {}", result))));
      }
    }
  }
  return 0;
}

// systemd.scope(5), systemd.resource-control(5); the types are those of
// org.freedesktop.systemd1(5).
int append_properties(sd_bus_message* message, const WantedScope& wanted) {
  int status = sd_bus_message_open_container(message, 'a', "(sv)");
  const auto append = [&](auto... arguments) {
    status = status < 0 ? status : sd_bus_message_append(message, "(sv)", arguments...);
  };
  append("Description", "s", wanted.description.c_str());
  append("Slice", "s", k_slice);
  append("CollectMode", "s", "inactive-or-failed");
  append("PIDs", "au", 1, static_cast<std::uint32_t>(wanted.pid));
  // One process that is killed for its memory is no reason to end all, and their number is as
  // little bounded as in the dispatcher's unit.
  append("OOMPolicy", "s", "continue");
  append("TasksMax", "t", UINT64_MAX);
  if (wanted.limits.memory_bytes > 0) {
    append("MemoryMax", "t", static_cast<std::uint64_t>(wanted.limits.memory_bytes));
    append("MemorySwapMax", "t", std::uint64_t{0});
  }
  if (wanted.limits.cpu_percent > 0) {
    // Microseconds of processor in each second.
    append("CPUQuotaPerSecUSec", "t",
           static_cast<std::uint64_t>(wanted.limits.cpu_percent) * 10'000);
  }
  return status < 0 ? status : sd_bus_message_close_container(message);
}

int ask(sd_bus* bus, const WantedScope& wanted, Asked& asked) {
  sd_bus_message* made = nullptr;
  int status = sd_bus_message_new_method_call(bus, &made, k_systemd, k_manager_path, k_manager,
                                              "StartTransientUnit");
  const Message message(made);
  if (status >= 0) {
    status = sd_bus_message_append(made, "ss", (wanted.name + ".scope").c_str(), "fail");
  }
  if (status >= 0) {
    status = append_properties(made, wanted);
  }
  if (status >= 0) {
    status = sd_bus_message_append(made, "a(sa(sv))", 0);
  }
  return status < 0 ? status : sd_bus_call_async(bus, nullptr, made, take_answer, &asked, 0);
}

Bounded bounded(const WantedScope& wanted) {
  const auto groups = read_file(fmt::format("/proc/{}/cgroup", wanted.pid), k_proc_bytes);
  if (!groups) {  // it has ended already
    return {};
  }
  const std::string name = wanted.name + ".scope";
  const std::vector<fs::path> roots{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  return {.memory = wanted.limits.memory_bytes == 0 ||
                    is_held(*groups, name, "memory", "memory.max", roots),
          .cpu = wanted.limits.cpu_percent == 0 || is_held(*groups, name, "cpu", "cpu.max", roots)};
}

// Error: the errno, negative. Never kept open: the user's systemd tells every job of its own to
// whoever is connected.
int open_bus(Bus& bus, const fs::path& socket, std::vector<Asked>& asked) {
  const int status = open_private_bus(bus, socket);
  return status < 0 ? status
                    : sd_bus_match_signal(bus.get(), nullptr, nullptr, k_manager_path, k_manager,
                                          "JobRemoved", take_removed_job, &asked);
}

// Until every request has its outcome. Error: the errno, negative.
int wait(sd_bus* bus, const std::vector<Asked>& asked) {
  return work_until(bus, SteadyClock::now() + k_patience, [&] {
    return std::ranges::all_of(asked, [](const Asked& one) { return one.outcome.has_value(); });
  });
}

}  // namespace

bool is_held(std::string_view groups, std::string_view name, std::string_view controller,
             std::string_view file, const std::vector<fs::path>& roots) {
  std::string unified;
  for (const std::string& line : split_list(groups, '\n')) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string path = line.substr(second + 1);
    if (first + 1 == second) {
      unified = path;
      continue;
    }
    // With version 1 a controller has groups of its own.
    const auto controllers = split_list(line.substr(first + 1, second - first - 1), ',');
    if (std::ranges::find(controllers, controller) != controllers.end()) {
      return path.ends_with(name);
    }
  }
  std::error_code ignored;
  const fs::path group = fs::path(unified).relative_path();
  return unified.ends_with(name) && std::ranges::any_of(roots, [&](const fs::path& root) {
           return fs::exists(root / group / file, ignored);
         });
}

std::vector<Result<Bounded>> place_in_scopes(const fs::path& socket,
                                             const std::vector<WantedScope>& wanted) {
  std::vector<Result<Bounded>> results(
      wanted.size(), Bounded{.has_manager = false, .memory = false, .cpu = false});
  if (wanted.empty() || !home::user_manager_runs(socket)) {
    return results;
  }
  std::vector<Asked> asked(wanted.size());
  Bus bus;
  int status = open_bus(bus, socket, asked);
  for (std::size_t i = 0; i < wanted.size() && status >= 0; ++i) {
    status = ask(bus.get(), wanted[i], asked[i]);
  }
  if (status >= 0) {
    status = wait(bus.get(), asked);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!asked[i].outcome) {
      results[i] = std::unexpected(no_answer(-status));
    } else if (!*asked[i].outcome) {
      results[i] = std::unexpected(asked[i].outcome->error());
    } else {
      results[i] = bounded(wanted[i]);
    }
  }
  return results;
}

}  // namespace hermes::daemon
