#include "kernel/home/worker.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/base/fd.hpp"

namespace hermes::home {

namespace {

constexpr std::int64_t k_goal_turns = 20;  // where the task names no number

}  // namespace

std::map<std::string, std::string> worker_variables(const Home& home, const BoardPaths& board,
                                                    const Task& task, const Run& run,
                                                    const std::string& profile,
                                                    const std::string& model,
                                                    const std::string& provider) {
  std::map<std::string, std::string> own{
      {"HERMES_HOME", home.dir.string()},
      {"HERMES_KANBAN_BOARD", board.slug},
      {"HERMES_KANBAN_TASK", task.id},
      {"HERMES_KANBAN_RUN_ID", std::to_string(run.id)},
      {"HERMES_KANBAN_RUN_TOKEN", run.token},
      {"HERMES_KANBAN_WORKSPACE", run.workspace_path.value_or("")},
      {"HERMES_PROFILE", profile},
  };
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) {
      own.emplace(name, value);
    }
  };
  add("HERMES_KANBAN_BRANCH", run.branch.value_or(""));
  add("HERMES_TENANT", task.tenant);
  add("HERMES_KANBAN_MODEL", model);
  add("HERMES_KANBAN_PROVIDER", provider);
  if (task.goal_mode) {
    add("HERMES_KANBAN_GOAL_MODE", "1");
    add("HERMES_KANBAN_GOAL_MAX_TURNS", std::to_string(task.goal_max_turns.value_or(k_goal_turns)));
  }
  return own;
}

fs::path user_manager_socket(const std::string& runtime_dir) {
  const fs::path dir =
      runtime_dir.empty() ? "/run/user/" + std::to_string(::getuid()) : runtime_dir;
  return dir / "systemd" / "private";
}

bool user_manager_runs(const fs::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket.string();
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client || path.size() >= sizeof address.sun_path) {
    return false;
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ucred peer{};
  socklen_t length = sizeof peer;
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
             0 &&
         ::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid > 0;
}

}  // namespace hermes::home
