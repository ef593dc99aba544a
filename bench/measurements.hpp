#pragma once

#include <vector>

#include "bench/row.hpp"

namespace hermes::bench {

// How much is measured. A quick run shows that everything works; its figures are not for comparing.
struct Effort {
  bool quick = false;
  int of(int full, int few) const { return quick ? few : full; }
};

// Each makes its own home, measures, and leaves nothing behind. What cannot be measured, throws.
std::vector<Row> measure_start(Effort effort);
std::vector<Row> measure_jobs(Effort effort);
std::vector<Row> measure_cli(Effort effort);
std::vector<Row> measure_mcp(Effort effort);
std::vector<Row> measure_death(Effort effort);
std::vector<Row> measure_watch(Effort effort);
std::vector<Row> measure_scale(Effort effort);
std::vector<Row> measure_fan(Effort effort);
std::vector<Row> measure_idle(Effort effort);
std::vector<Row> measure_gate(Effort effort);

}  // namespace hermes::bench
