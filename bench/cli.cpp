// What the command line costs: wall time of `hermes kanban list` and `create` above that of `true`.
#include <fmt/core.h>

#include "bench/board.hpp"
#include "bench/child.hpp"
#include "bench/measurements.hpp"

namespace hermes::bench {

namespace {

constexpr int k_tasks_on_board = 20;

Row row_of(const std::string& verb, const Sample& above, const Sample& alone, const Sample& floor) {
  Row row;
  row.name = "cli " + verb;
  row.figure = {fmt::format("`hermes kanban {}` above `true`", verb),
                fmt::format("{}  ({} runs)", spread(above), above.size()),
                fmt::format("all of it: {}", spread(alone))};
  row.floor = {"`true`, spawned and reaped", spread(floor)};
  row.expect_below("p50", above.median(), 10 * k_millisecond);
  row.expect_below("p99", above.at(0.99), 10 * k_millisecond);
  return row;
}

}  // namespace

std::vector<Row> measure_cli(Effort effort) {
  const TempHome listed;  // two homes: what is created must not lengthen what is listed
  const TempHome created;
  Board(listed).fill(k_tasks_on_board, "");
  const Words list{BENCH_HERMES, "kanban", "list"};
  const Words create{BENCH_HERMES, "kanban", "create", "a task"};
  Sample trues;
  Sample lists;
  Sample lists_above;
  Sample creates;
  Sample creates_above;
  for (int i = 0; i < effort.of(200, 10); ++i) {
    const Nanos floor = time_of_run({"/bin/true"}, listed.environment());
    const Nanos listing = time_of_run(list, listed.environment());
    const Nanos creating = time_of_run(create, created.environment());
    trues.add(floor);
    lists.add(listing);
    lists_above.add(listing - floor);
    creates.add(creating);
    creates_above.add(creating - floor);
  }
  return {row_of("list", lists_above, lists, trues),
          row_of("create", creates_above, creates, trues)};
}

}  // namespace hermes::bench
