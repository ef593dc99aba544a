// What grows with the board: the same work at 100, 10,000 and 100,000 tasks of five links each.
#include <fmt/core.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "bench/child.hpp"
#include "bench/linked_board.hpp"
#include "bench/measurements.hpp"
#include "bench/watch_line.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/context.hpp"
#include "kernel/board/snapshot.hpp"
#include "kernel/board/stats.hpp"
#include "kernel/board/verdicts.hpp"

namespace hermes::bench {

namespace {

constexpr std::array k_counts{100, 10'000, 100'000};
constexpr std::size_t k_sizes = k_counts.size();
constexpr int k_page = 20;
constexpr int k_cap = 16;
// A board of 100 has 40 free tasks and 20 pairs.
constexpr int k_claims = 40;
constexpr int k_promotions = 20;
constexpr double k_most_ratio = 1.5;

// Each in a home of its own.
struct SizedBoard {
  explicit SizedBoard(int count) : filled(fill_linked(board, count)) {}

  TempHome home;
  Board board{home};
  LinkedBoard filled;
};
using Boards = std::array<std::unique_ptr<SizedBoard>, k_sizes>;

// One of each size, the smallest first.
using Samples = std::array<Sample, k_sizes>;

Row row_of(const std::string& name, const std::string& what, const Samples& samples) {
  const auto median = [&](std::size_t i) { return static_cast<double>(samples[i].median()); };
  Row row;
  row.name = "scale " + name;
  row.figure = {what};
  row.floor = {fmt::format("at {} tasks:", k_counts[0]), spread(samples[0])};
  for (std::size_t i = 1; i < k_sizes; ++i) {
    const std::string count = count_text(k_counts[i]);
    row.figure.push_back(fmt::format("at {} tasks: {}", count, spread(samples[i])));
    row.expect_at_most(fmt::format("ratio of p50, {}", count), median(i) / median(0), k_most_ratio,
                       fmt::format("{}", k_most_ratio));
  }
  return row;
}

// In turns, so that what changes meanwhile on the machine meets all alike.
Samples compare(Boards& boards, int count, const std::function<Nanos(SizedBoard&, int)>& measure) {
  Samples samples;
  for (int i = 0; i < count; ++i) {
    throw_if_interrupted();
    for (std::size_t size = 0; size < k_sizes; ++size) {
      samples.at(size).add(measure(*boards.at(size), i));
    }
  }
  return samples;
}

template <class Body>
Samples compare_reads(Boards& boards, int count, Body body) {
  return compare(boards, count, [&](SizedBoard& sized, int i) {
    const Nanos began = monotonic_now();
    sized.board.read([&](db::Reader& tx) { return body(tx, sized, i); });
    return monotonic_now() - began;
  });
}

Samples compare_commands(Boards& boards, int count,
                         const std::function<Words(SizedBoard&, int)>& command) {
  return compare(boards, count, [&](SizedBoard& sized, int i) {
    return time_of_run(command(sized, i), sized.home.environment());
  });
}

// A write with its COMMIT.
template <class Body>
Samples compare_writes(Boards& boards, int count, Body body) {
  return compare(boards, count, [&](SizedBoard& sized, int i) {
    const Nanos began = monotonic_now();
    sized.board.write(
        [&](board::Change& change) -> Result<void> { return body(change, sized, i); });
    return monotonic_now() - began;
  });
}

// The statements of a write alone: each time taken back, so that it can be measured often.
template <class Body>
Samples compare_statements(Boards& boards, int count, Body body) {
  return compare(boards, count, [&](SizedBoard& sized, int i) {
    return sized.board.write([&](board::Change& change) -> Result<Nanos> {
      change.tx.execute("SAVEPOINT measured");
      const Nanos began = monotonic_now();
      TRY(body(change, sized, i));
      const Nanos duration = monotonic_now() - began;
      change.tx.execute("ROLLBACK TO measured");
      change.tx.execute("RELEASE measured");
      return duration;
    });
  });
}

Result<void> claim_one(board::Change& change, const std::string& id) {
  board::ClaimRequest request;
  request.profile = "bench";
  request.host = this_host();
  request.holder = "bench";
  request.ttl = std::chrono::hours{1};
  TRY(board::claim(change, id, request));
  return {};
}

const std::string& free_task(const SizedBoard& sized, int i) {
  return sized.filled.free[static_cast<std::size_t>(i) % k_claims];
}

const LinkedBoard::Pair& pair_of(const SizedBoard& sized, int i) {
  return sized.filled.pairs[static_cast<std::size_t>(i) % k_promotions];
}

void add_reads(std::vector<Row>& rows, Boards& boards, Effort effort) {
  const int reads = effort.of(2000, 50);
  const int runs = effort.of(100, 5);
  rows.push_back(row_of("list", fmt::format("list of {}, kernel library", k_page),
                        compare_reads(boards, reads, [](db::Reader& tx, const SizedBoard&, int) {
                          return must(board::list_tasks(tx, {.limit = k_page})).size();
                        })));
  const std::string page = std::to_string(k_page);
  rows.push_back(row_of("list cli", fmt::format("`hermes kanban list --limit {}`", k_page),
                        compare_commands(boards, runs, [&](const SizedBoard&, int) -> Words {
                          return {BENCH_HERMES, "kanban", "list", "--limit", page};
                        })));
  rows.push_back(row_of("show cli", "`hermes kanban show` of a task that waits",
                        compare_commands(boards, runs, [](const SizedBoard& sized, int i) -> Words {
                          return {BENCH_HERMES, "kanban", "show", pair_of(sized, i).child};
                        })));
  rows.push_back(
      row_of("context", "what a worker is given to read, kernel library",
             compare_reads(boards, reads, [](db::Reader& tx, const SizedBoard& sized, int i) {
               return must(board::context_text(tx, pair_of(sized, i).parent, wall_clock_now(), {},
                                               "attachments"))
                   .size();
             })));
  rows.push_back(row_of("stats", "stats, kernel library",
                        compare_reads(boards, reads, [](db::Reader& tx, const SizedBoard&, int) {
                          return board::stats(tx).by_status.size();
                        })));
  std::map<std::string, VerdictMode> verdicts;
  for (int i = 0; i < k_assignees; ++i) {
    verdicts.emplace(assignee(i), VerdictMode::by_exit_code);
  }
  rows.push_back(row_of("look", "what the dispatcher reads before it decides",
                        compare_reads(boards, reads, [&](db::Reader& tx, const SizedBoard&, int) {
                          return board::snapshot(tx, "default", wall_clock_now(), {}, verdicts,
                                                 this_host(), k_cap)
                              .candidates.size();
                        })));
}

void add_writes(std::vector<Row>& rows, Boards& boards, Effort effort) {
  const auto claim = [](board::Change& change, const SizedBoard& sized, int i) {
    return claim_one(change, free_task(sized, i));
  };
  const auto promote = [](board::Change& change, const SizedBoard& sized, int i) -> Result<void> {
    TRY(board::complete(change, pair_of(sized, i).parent, {}, false));
    return {};
  };
  const auto create = [](board::Change& change, const SizedBoard&, int) -> Result<void> {
    TRY(board::create(change, {.title = "one more", .assignee = assignee(0)}));
    return {};
  };
  const int often = effort.of(500, 20);
  rows.push_back(row_of("create sql", "a new task, its statements alone",
                        compare_statements(boards, often, create)));
  rows.push_back(
      row_of("claim sql", "claim, its statements alone", compare_statements(boards, often, claim)));
  rows.push_back(
      row_of("claim", "claim, with its COMMIT", compare_writes(boards, k_claims, claim)));
  rows.push_back(row_of("promote sql", "completion that makes a child ready, statements alone",
                        compare_statements(boards, often, promote)));
  rows.push_back(row_of("promote", "completion that makes a child ready, with its COMMIT",
                        compare_writes(boards, k_promotions, promote)));
  for (const auto& sized : boards) {
    for (int i = 0; i < k_promotions; ++i) {
      if (!sized->board.is(pair_of(*sized, i).child, Status::ready)) {
        throw std::runtime_error("a completion has not made its child ready");
      }
    }
  }
}

void add_watch(std::vector<Row>& rows, Boards& boards, Effort effort) {
  Samples lines;
  for (std::size_t size = 0; size < k_sizes; ++size) {
    SizedBoard& sized = *boards.at(size);
    lines.at(size) = measure_watch_lines(sized.home, sized.board, effort.of(200, 10));
  }
  rows.push_back(row_of("watch", "COMMIT → line of `hermes kanban watch --json`", lines));
}

}  // namespace

std::vector<Row> measure_scale(Effort effort) {
  Boards boards;
  for (std::size_t size = 0; size < k_sizes; ++size) {
    boards.at(size) = std::make_unique<SizedBoard>(k_counts.at(size));
  }
  std::vector<Row> rows;
  add_reads(rows, boards, effort);
  add_writes(rows, boards, effort);
  add_watch(rows, boards, effort);
  return rows;
}

}  // namespace hermes::bench
