#include "daemon/programs.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "support/wait.hpp"

namespace hermes::daemon::test {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));
  }
  out.push_back(nullptr);
  return out;
}

// The fields of /proc/<pid>/stat from the state on; the name before it may hold anything.
std::vector<std::string> stat_fields(const fs::path& process) {
  const std::string text = text_of(process / "stat");
  const auto name_end = text.rfind(')');
  std::vector<std::string> fields;
  if (name_end != std::string::npos) {
    std::istringstream rest(text.substr(name_end + 1));
    for (std::string field; rest >> field;) {
      fields.push_back(field);
    }
  }
  return fields;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  for (const auto& entry :
       fs::directory_iterator("/proc", fs::directory_options::skip_permission_denied)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      found.push_back(static_cast<pid_t>(std::stol(name)));
    }
  }
  return found;
}

fs::path proc(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

}  // namespace

Program::Program(const fs::path& path, const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment, const fs::path& out,
                 const fs::path& err) {
  std::vector<std::string> argv{path.string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> env;
  for (const auto& [name, value] : environment) {
    env.push_back(name + "=" + value);
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  const int flags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&files, 1, out.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&files, 2, err.c_str(), flags, 0600);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  const int problem = posix_spawn(&pid_, path.c_str(), &files, nullptr, pointers(argv).data(),
                                  pointers(env).data());
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) {
    throw std::runtime_error("cannot start " + path.string());
  }
}

Program::~Program() {
  if (pid_ > 0 && !status_) {
    signal(SIGKILL);
    wait();
  }
}

Program::Program(Program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

void Program::signal(int number) const {
  if (!status_) {
    ::kill(pid_, number);
  }
}

std::optional<int> Program::wait(std::chrono::milliseconds limit) {
  hermes::test::wait_until(
      [&] {
        int status = 0;
        if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
          status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return status_.has_value();
      },
      limit);
  return status_;
}

long resident_kb(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stol(line.substr(6));
    }
  }
  return -1;
}

std::vector<pid_t> processes_with(const std::string& entry) {
  std::vector<pid_t> found;
  const std::string wanted = '\0' + entry + '\0';
  for (const pid_t pid : all_processes()) {
    if (('\0' + text_of(proc(pid) / "environ") + '\0').find(wanted) != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

pid_t parent_of(pid_t pid) {
  const auto fields = stat_fields(proc(pid));
  return fields.size() > 1 ? std::stoi(fields[1]) : -1;
}

bool lives(pid_t pid) {
  const auto fields = stat_fields(proc(pid));
  return !fields.empty() && fields[0] != "Z" && fields[0] != "X";
}

ChildCount children_of(pid_t pid) {
  ChildCount count;
  for (const pid_t one : all_processes()) {
    const auto fields = stat_fields(proc(one));  // both at one moment: it may be reaped meanwhile
    if (fields.size() > 1 && fields[1] == std::to_string(pid)) {
      ++(fields[0] == "Z" ? count.zombies : count.living);
    }
  }
  return count;
}

int open_files_of(pid_t pid) {
  std::error_code gone;
  const fs::directory_iterator files(proc(pid) / "fd", gone);
  return gone ? -1 : static_cast<int>(std::distance(begin(files), end(files)));
}

std::chrono::milliseconds cpu_time_of(pid_t pid) {
  const auto fields = stat_fields(proc(pid));
  if (fields.size() < 13) {
    throw std::runtime_error("no such process");
  }
  const long ticks = std::stol(fields[11]) + std::stol(fields[12]);
  return std::chrono::milliseconds{ticks * 1000 / ::sysconf(_SC_CLK_TCK)};
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Whoever watches sees the old text or the new.
void write_text(const fs::path& path, const std::string& text) {
  const fs::path part = path.string() + ".part";
  std::ofstream file(part, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    throw std::runtime_error("cannot write " + path.string());
  }
  fs::rename(part, path);
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::istringstream text(text_of(path));
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace hermes::daemon::test
