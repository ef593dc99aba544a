#include "churn/processes.hpp"

#include <fmt/core.h>

#include <fstream>

#include "daemon/programs.hpp"

namespace hermes::churn {

namespace {

namespace fs = std::filesystem;

std::string value_of(const std::string& environment, const std::string& name) {
  const std::string wanted = '\0' + name + '=';
  const auto at = environment.find(wanted);
  return at == std::string::npos ? "" : std::string(environment.c_str() + at + wanted.size());
}

std::string environment_of(pid_t pid) {
  return '\0' + daemon::test::text_of(fmt::format("/proc/{}/environ", pid));
}

}  // namespace

std::vector<Process> processes_of(const fs::path& home) {
  std::vector<Process> found;
  for (const pid_t pid : daemon::test::processes_with("HERMES_HOME=" + home.string())) {
    const std::string environment = environment_of(pid);
    std::error_code gone;
    const auto program = fs::read_symlink(fmt::format("/proc/{}/exe", pid), gone).filename();
    if (!gone && environment.size() > 1) {
      found.push_back({pid, daemon::test::parent_of(pid), program,
                       value_of(environment, "HERMES_KANBAN_BOARD"),
                       value_of(environment, "HERMES_KANBAN_TASK"),
                       value_of(environment, "HERMES_KANBAN_RUN_ID")});
    }
  }
  return found;
}

bool belongs_to(const Process& process) {
  const std::string environment = environment_of(process.pid);
  return value_of(environment, "HERMES_KANBAN_BOARD") == process.board &&
         value_of(environment, "HERMES_KANBAN_TASK") == process.task &&
         value_of(environment, "HERMES_KANBAN_RUN_ID") == process.run;
}

std::vector<std::string> open_files(pid_t pid) {
  std::vector<std::string> found;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), gone)) {
    const auto name = fs::read_symlink(entry.path(), gone);
    if (!gone) {
      found.push_back(name);
    }
  }
  return found;
}

}  // namespace hermes::churn
