#pragma once

#include "churn/ground.hpp"

namespace hermes::churn {

// Whether nothing goes on and nothing is about to: no process of a run, nothing that waits for a
// worker or a time. `waits`: what does, for people.
bool at_rest(const Ground& ground, std::string& waits);
// Tasks that workers have not taken or finished yet.
std::int64_t open_work(const Ground& ground);

// They hold at every moment.
void check_invariants(const Ground& ground, Findings& findings);
// integrity_check, the invariants and `hermes doctor`.
void check_boards(const Ground& ground, Findings& findings);
// That nothing lies in the home but what belongs there, and that it is bounded.
void check_files(const Ground& ground, int killed_clients, Findings& findings);

// A command to its end; its exit status has to be 0.
void run_command(const Ground& ground, const std::vector<std::string>& words, Findings& findings);

}  // namespace hermes::churn
