#pragma once

#include "churn/killer.hpp"

namespace hermes::churn {

// What the workers have written down themselves, compared with the runs on the boards.
struct Booked {
  int runs = 0;
  int exits_told = 0;  // whose worker wrote down how it was about to end
  int lost_shims = 0;
  int never_started = 0;
  int stopped = 0;
  int timed_out = 0;
};
Booked check_runs(const Ground& ground, const Ledger& ledger, const Killer& killer,
                  Findings& findings);

}  // namespace hermes::churn
