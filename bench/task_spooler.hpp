#pragma once

#include <optional>

#include "bench/sample.hpp"
#include "bench/temp_home.hpp"

namespace hermes::bench {

// task-spooler (tsp), the job queue that Debian ships: a server in memory, where each queued job is
// a waiting process. It promises nothing about a crash; it is the yardstick for throughput alone.
struct Spooled {
  Nanos queue_to_end = 0;      // from the first `tsp true` to the end of the last job
  std::int64_t preloaded = 0;  // jobs that waited when its slots were opened: below 1,000
  Nanos drain = 0;             // from there to the end of the last of them
};

// `count` jobs of `true` in `slots` slots. Nothing when tsp is not installed.
std::optional<Spooled> measure_task_spooler(const TempHome& home, int count, int slots);

}  // namespace hermes::bench
