// A task with 500 children, and one with 500 parents.
#include <fmt/core.h>

#include "bench/board.hpp"
#include "bench/measurements.hpp"
#include "kernel/board/verdicts.hpp"

namespace hermes::bench {

namespace {

constexpr int k_wide = 500;
constexpr double k_most_ratio = 1.5;

std::string create(Board& board, const std::vector<std::string>& parents) {
  return board.write([&](board::Change& change) -> Result<std::string> {
    TRY_ASSIGN(const auto created, board::create(change, {.title = "one", .parents = parents}));
    return created.task.id;
  });
}

std::vector<std::string> create_many(Board& board, int count,
                                     const std::vector<std::string>& parents) {
  return board.write([&](board::Change& change) -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      TRY_ASSIGN(const auto created, board::create(change, {.title = "many", .parents = parents}));
      ids.push_back(created.task.id);
    }
    return ids;
  });
}

// With its COMMIT.
Nanos time_of_complete(Board& board, const std::string& id) {
  const Nanos began = monotonic_now();
  board.write([&](board::Change& change) { return board::complete(change, id, {}, false); });
  return monotonic_now() - began;
}

void must_be_ready(Board& board, const std::string& id) {
  if (!board.is(id, Status::ready)) {
    throw std::runtime_error("task " + id + " has not become ready");
  }
}

// The least that 500 children cost: a row of each written, and an event, in one COMMIT.
Nanos time_of_bare_rows(Board& board, const std::vector<std::string>& ids) {
  const Nanos began = monotonic_now();
  board.write([&](board::Change& change) -> Result<void> {
    for (const std::string& id : ids) {
      change.tx.execute(
          "UPDATE tasks SET status = 'ready', ready_since = 1, eligible_at = 1 WHERE id = $1", id);
      change.tx.execute("INSERT INTO events (task_id, kind, at) VALUES ($1, 'promoted', 1)", id);
    }
    return {};
  });
  return monotonic_now() - began;
}

Row measure_out(Board& board, int count) {
  Sample whole;
  Sample bare;
  for (int i = 0; i < count; ++i) {
    throw_if_interrupted();
    const std::string parent = create(board, {});
    const std::vector<std::string> children = create_many(board, k_wide, {parent});
    const std::vector<std::string> others = create_many(board, k_wide, {create(board, {})});
    board.empty_wal();
    bare.add(time_of_bare_rows(board, others));
    whole.add(time_of_complete(board, parent));
    must_be_ready(board, children.front());
    must_be_ready(board, children.back());
  }
  Row row;
  row.name = "fan-out";
  row.figure = {fmt::format("completion that makes {} children ready, with its COMMIT", k_wide),
                spread(whole)};
  row.floor = {fmt::format("{} rows changed and {} events, one COMMIT", k_wide, k_wide),
               spread(bare)};
  return row;
}

Row measure_in(Board& board, int count) {
  Sample wide;
  Sample narrow;
  for (int i = 0; i < count; ++i) {
    throw_if_interrupted();
    std::vector<std::string> parents = create_many(board, k_wide, {});
    const std::string child = create(board, parents);
    const std::string only = create(board, {});
    const std::string only_child = create(board, {only});
    const std::string last = parents.back();
    parents.pop_back();
    board.write([&](board::Change& change) -> Result<void> {
      for (const std::string& parent : parents) {
        TRY(board::complete(change, parent, {}, false));
      }
      return {};
    });
    board.empty_wal();
    narrow.add(time_of_complete(board, only));
    wide.add(time_of_complete(board, last));
    must_be_ready(board, child);
    must_be_ready(board, only_child);
  }
  Row row;
  row.name = "fan-in";
  row.figure = {fmt::format("completion of the last of {} parents, with its COMMIT", k_wide),
                spread(wide)};
  row.floor = {"completion of an only parent", spread(narrow)};
  row.expect_at_most("ratio of p50",
                     static_cast<double>(wide.median()) / static_cast<double>(narrow.median()),
                     k_most_ratio, fmt::format("{}", k_most_ratio));
  return row;
}

}  // namespace

std::vector<Row> measure_fan(Effort effort) {
  const TempHome home;
  Board board(home);
  const int count = effort.of(40, 3);
  return {measure_out(board, count), measure_in(board, count)};
}

}  // namespace hermes::bench
