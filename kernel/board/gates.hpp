#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/rules/fleet.hpp"

// The fleet breaker (kernel/rules/fleet.hpp) on the tables: one row of profile_gates for each
// profile that is paused, or that a person has resumed. A profile that works has none.
namespace hermes::board {

// Nothing when it was never paused, or works again.
std::optional<rules::Gate> profile_gate(db::Reader& tx, const std::string& profile);

// Those that are paused or being tried, by profile.
std::map<std::string, rules::Gate> shut_gates(db::Reader& tx);

// For starts by the dispatcher; a person's claim is not bound. Error: conflict.
Result<void> check_gate(db::Reader& tx, const std::string& profile, Instant now);

// A run that is started although its profile was paused is its probe.
void record_probe(Change& change, const std::string& profile, std::int64_t run_id);

// After the verdict of a run is stored. Claims by hand say nothing about a profile, and neither
// does what a person has done to a run.
void judge_profile(Change& change, std::int64_t run_id);

// What a person resumes. True when it was paused.
Result<bool> resume_profile(Change& change, const std::string& profile);

}  // namespace hermes::board
