#include "churn/ground.hpp"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <csignal>
#include <stdexcept>

#include "churn/processes.hpp"
#include "daemon/programs.hpp"
#include "kernel/home/registry.hpp"
#include "support/wait.hpp"

namespace hermes::churn {

namespace {

constexpr std::size_t k_shown = 8;  // of each rule

// Everything that waits by itself waits for moments, so that the end comes to rest; no profile is
// ever paused, as an hour of pause would not.
constexpr const char* k_config = R"(
reviewer = "rev"
rate_limit_cooldown = "50ms"
verdict_grace = "300ms"
stop_grace = "300ms"
[retry]
base = "20ms"
max = "200ms"
fleet_window = 0
[log]
rotate_bytes = "64K"
)";

fs::path fresh_directory() {
  std::string pattern = (fs::temp_directory_path() / "hermes-churn-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory from " + pattern);
  }
  return pattern;
}

template <class Value>
void require(const Result<Value>& done) {
  if (!done) {
    throw std::runtime_error(one_line(done.error()));
  }
}

}  // namespace

void Findings::add(const std::string& rule, const std::string& seen) {
  auto& all = found_[rule];
  if (all.empty()) {
    fmt::print("VIOLATED: {}: {}\n", rule, seen);
    std::fflush(stdout);
  }
  all.push_back(seen);
}

void Findings::print() const {
  for (const auto& [rule, all] : found_) {
    fmt::print("violated {} times: {}\n", all.size(), rule);
    for (std::size_t i = 0; i < std::min(all.size(), k_shown); ++i) {
      fmt::print("    {}\n", all[i]);
    }
  }
}

Ground::Ground() : dir_(fresh_directory()), home_{dir_ / "home"} {
  require(home::create_home(home_));
  for (const std::string& board : k_boards) {
    require(home::create_board(home_, board, wall_clock_now()));
  }
  daemon::test::write_text(home_.config(),
                           fmt::format("[dispatcher]\nmax_in_progress = {}{}", k_cap, k_config));
  for (const std::string& profile : k_profiles) {
    fs::create_directories(home_.profile(profile).parent_path());
    daemon::test::write_text(
        home_.profile(profile),
        fmt::format("command = [\"{}\", \"{}\", \"{}\", \"{}\"]\nverdict = \"{}\"\n{}",
                    CHURN_WORKER, dir_.string(), CHURN_HERMES, profile,
                    profile == "agent" ? "explicit" : "exit-code",
                    profile == "slow" ? "max_runtime = \"1s\"\n" : ""));
  }
  for (const char* name : {"locks", "files", "clients", "dispatchers"}) {
    fs::create_directory(path(name));
  }
}

Ground::~Ground() {
  hermes::test::wait_until(
      [this] {
        const auto left = processes_of(home_.dir);
        for (const Process& process : left) {
          ::kill(process.pid, SIGKILL);
        }
        return left.empty();
      },
      std::chrono::seconds{20});
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  if (kept_) {
    fmt::print("everything is kept in {}\n", dir_.string());
    return;
  }
  std::error_code ignored;
  if (const auto memory = fs::read_symlink(home_.run(), ignored);
      memory.string().starts_with("/dev/shm/hermes-")) {
    fs::remove_all(memory, ignored);
  }
  fs::remove_all(dir_, ignored);
}

std::map<std::string, std::string> Ground::environment() const {
  return {{"HERMES_HOME", home_.dir.string()},
          {"HERMES_SHIM", CHURN_SHIM},
          {"HERMES_DISPATCHER", CHURN_DISPATCHER},
          {"PATH", "/usr/bin:/bin"},
          {"HOME", dir_.string()},
          {"USER", "churn"},
          {"TZ", "UTC"}};
}

std::int64_t Ground::wal_bytes(const std::string& board) const {
  std::error_code none;
  const auto size = fs::file_size(home_.board(board).database().string() + "-wal", none);
  return none ? 0 : static_cast<std::int64_t>(size);
}

db::Database Ground::open(const std::string& board) const {
  auto opened = db::Database::open(home::files_of(home_.board(board)), db::Database::Access::write,
                                   wall_clock_now());
  if (!opened) {
    throw std::runtime_error(one_line(opened.error()));
  }
  return std::move(*opened);
}

}  // namespace hermes::churn
