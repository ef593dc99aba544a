#include "bench/temp_home.hpp"

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kernel/base/files.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::bench {

namespace {

constexpr std::size_t k_most_environment = 1024 * 1024;

std::vector<fs::path> g_to_remove;

void must(const Result<void>& result) {
  if (!result) {
    throw std::runtime_error(one_line(result.error()));
  }
}

}  // namespace

TempHome::TempHome() {
  std::string pattern = (fs::temp_directory_path() / "hermes-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary directory from " + pattern);
  }
  dir_ = pattern;
  g_to_remove.push_back(dir_);
  fs::create_directory(dir_ / "user");
  if (const auto made = home::create_board(home(), "default", wall_clock_now()); !made) {
    throw std::runtime_error(one_line(made.error()));
  }
}

TempHome::~TempHome() {
  kill_everything();
  std::error_code ignored;
  const fs::path memory = fs::read_symlink(home().run(), ignored);
  if (memory.string().starts_with("/dev/shm/hermes-")) {
    fs::remove_all(memory, ignored);
  }
}

TempHomes::~TempHomes() {
  std::error_code ignored;
  for (const fs::path& dir : g_to_remove) {
    fs::remove_all(dir, ignored);
  }
}

// Supervisors and workers outlive their dispatcher on purpose. They are known by the home in their
// environment, which has a name that no other process knows.
void TempHome::kill_everything() const {
  const std::string wanted = fmt::format("HERMES_HOME={}", home().dir.string());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  for (bool found = true; found && std::chrono::steady_clock::now() < deadline;) {
    found = false;
    std::error_code problem;
    for (fs::directory_iterator entry("/proc", problem), end; !problem && entry != end;
         entry.increment(problem)) {
      const std::string name = entry->path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) {
        continue;
      }
      const auto environment = read_file(entry->path() / "environ", k_most_environment);
      const pid_t pid = std::stoi(name);
      if (environment && pid != ::getpid() && environment->find(wanted) != std::string::npos) {
        ::kill(pid, SIGKILL);
        found = true;
      }
    }
  }
}

void TempHome::add_profile(const std::string& name, const std::vector<std::string>& command) const {
  const fs::path file = home().profile(name);
  must(make_directory(file.parent_path()));
  must(write_file_atomically(file, fmt::format("command = {}\nverdict = \"exit-code\"\n",
                                               nlohmann::json(command).dump())));
}

void TempHome::write_config(const std::string& text) const {
  must(write_file_atomically(home().config(), text));
}

std::vector<std::string> TempHome::environment() const {
  return {"HERMES_HOME=" + home().dir.string(),
          std::string("HERMES_SHIM=") + BENCH_SHIM,
          "HOME=" + (dir_ / "user").string(),
          "PATH=/usr/local/bin:/usr/bin:/bin",
          "TZ=UTC",
          "USER=bench"};
}

}  // namespace hermes::bench
