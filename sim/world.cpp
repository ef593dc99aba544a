#include "sim/world.hpp"

#include <fmt/core.h>

namespace hermes::sim {

World::World(db::Connection& board, std::uint64_t seed) : random(seed), board_(board) {
  board_.execute("BEGIN IMMEDIATE");
  limits.max_in_progress = 3;
  limits.failure_limit = 3;
  limits.reviewer = one_in(2) ? "reviews" : "";
  limits.default_assignee = one_in(4) ? "exits" : "";
}

World::~World() { board_.execute("ROLLBACK"); }

void World::tell(std::string what) {
  trace.push_back(
      fmt::format("{:>4} +{:<10} {}", trace.size(), now.ms - 1'700'000'000'000, std::move(what)));
}

void World::reboot() {
  for (auto& [run_id, process] : processes) {
    process.stage = Process::Stage::gone;
    process.leftovers = false;
  }
  host.boot = fmt::format("boot-{}", ++boots_);
  revoked.clear();
}

Process* World::process_of(std::int64_t run_id) {
  const auto found = processes.find(run_id);
  return found == processes.end() ? nullptr : &found->second;
}

std::vector<Process*> World::processes_that(const std::function<bool(const Process&)>& match) {
  std::vector<Process*> found;
  for (auto& [run_id, process] : processes) {
    if (match(process)) {
      found.push_back(&process);
    }
  }
  return found;
}

}  // namespace hermes::sim
