#include "bench/dispatcher.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bench/board.hpp"
#include "bench/wait.hpp"

namespace hermes::bench {

namespace {

constexpr int k_calm_looks = 6;

// The number behind "<key>:" in a status file of proc(5).
std::int64_t status_number(const fs::path& file, const std::string& key) {
  std::ifstream status(file);
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) {
      return std::stoll(line.substr(key.size() + 1));
    }
  }
  throw std::runtime_error(file.string() + " has no " + key);
}

bool sleeps(pid_t pid) {
  std::ifstream stat(fs::path("/proc") / std::to_string(pid) / "stat");
  std::stringstream text;
  text << stat.rdbuf();
  const std::string line = text.str();
  const auto name_end = line.rfind(')');  // the name may hold anything
  return name_end != std::string::npos && line.size() > name_end + 2 && line[name_end + 2] == 'S';
}

}  // namespace

std::int64_t wakes_of(pid_t pid) {
  std::int64_t sum = 0;
  for (const auto& thread :
       fs::directory_iterator(fs::path("/proc") / std::to_string(pid) / "task")) {
    sum += status_number(thread.path() / "status", "voluntary_ctxt_switches");
  }
  return sum;
}

std::int64_t resident_kib_of(pid_t pid) {
  return status_number(fs::path("/proc") / std::to_string(pid) / "status", "VmRSS");
}

Dispatcher::Dispatcher(const TempHome& home)
    : home_(home),
      process_({BENCH_DISPATCHER}, home.environment(),
               {.out = "/dev/null", .err = (home.dir() / "dispatcher.err").string()}) {}

Dispatcher::~Dispatcher() {
  try {
    process_.signal(SIGTERM);
    process_.wait();
  } catch (const std::exception&) {  // then it is killed
  }
}

void Dispatcher::wait_ready() const {
  Board board(home_);
  wait_for("the dispatcher to take the board over", [&] {
    if (process_.ended()) {
      throw std::runtime_error("the dispatcher has ended");
    }
    return board.number("SELECT 1 FROM leases WHERE resource = 'dispatcher' AND holder <> ''") == 1;
  });
}

void Dispatcher::wait_idle() const {
  std::int64_t before = -1;
  int calm = 0;
  wait_for("the dispatcher to be idle", [&] {
    const std::int64_t now = wakes();
    calm = now == before && sleeps(process_.pid()) ? calm + 1 : 0;
    before = now;
    return calm >= k_calm_looks;
  });
}

std::int64_t Dispatcher::wakes() const { return wakes_of(process_.pid()); }
std::int64_t Dispatcher::resident_kib() const { return resident_kib_of(process_.pid()); }

}  // namespace hermes::bench
