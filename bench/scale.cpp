// What grows with the board: the same work at 100,000 tasks and at 100.
#include <fmt/core.h>

#include <array>
#include <functional>
#include <map>
#include <utility>

#include "bench/board.hpp"
#include "bench/child.hpp"
#include "bench/measurements.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/snapshot.hpp"
#include "kernel/board/stats.hpp"

namespace hermes::bench {

namespace {

constexpr int k_small = 100;
constexpr int k_large = 100'000;
constexpr int k_assignees = 10;
constexpr int k_page = 20;
constexpr int k_cap = 16;
constexpr int k_claims = 60;  // of the 80 that are ready on the small board
constexpr double k_most_ratio = 1.5;

std::string assignee(int i) { return fmt::format("worker{}", i); }

// Four tasks of five are ready, over ten assignees; the rest is done. Done by hand, because only
// the rows count here.
void fill(Board& board, int count) {
  for (int i = 0; i < k_assignees; ++i) {
    board.fill(count / k_assignees, assignee(i));
  }
  board.write([](board::Change& change) -> Result<void> {
    change.tx.execute(
        "UPDATE tasks SET status = 'done', completed_at = updated_at, ready_since = NULL,"
        " eligible_at = NULL WHERE rowid % 5 = 0");
    return {};
  });
  board.empty_wal();
}

struct Pair {
  Sample small;
  Sample large;
};

Row row_of(const std::string& name, const std::string& what, const Pair& pair) {
  const double ratio =
      static_cast<double>(pair.large.median()) / static_cast<double>(pair.small.median());
  Row row;
  row.name = "scale " + name;
  row.figure = {what, fmt::format("at {} tasks: {}", count_text(k_large), spread(pair.large))};
  row.floor = {fmt::format("{:.2f} times that of {} tasks:", ratio, k_small), spread(pair.small)};
  row.expect_at_most("ratio of p50", ratio, k_most_ratio, fmt::format("{}", k_most_ratio));
  return row;
}

// In turns, so that what changes meanwhile on the machine meets both alike.
Pair compare(int count, const std::function<Nanos(bool large)>& measure) {
  Pair pair;
  for (int i = 0; i < count; ++i) {
    throw_if_interrupted();
    pair.small.add(measure(false));
    pair.large.add(measure(true));
  }
  return pair;
}

std::vector<std::string> ready_ids(Board& board) {
  return board.read([](db::Reader& tx) {
    std::vector<std::string> ids;
    auto row =
        tx.query("SELECT id FROM tasks WHERE status = 'ready' ORDER BY id LIMIT $1", k_claims);
    while (row.next()) {
      ids.push_back(row.text(0));
    }
    return ids;
  });
}

// Each in a home of its own.
struct Boards {
  TempHome small_home;
  TempHome large_home;
  Board small{small_home};
  Board large{large_home};

  Board& of(bool is_large) { return is_large ? large : small; }
  TempHome& home_of(bool is_large) { return is_large ? large_home : small_home; }
};

std::pair<Pair, Pair> compare_claims(Boards& boards) {
  const std::array ids{ready_ids(boards.small), ready_ids(boards.large)};
  std::array<std::size_t, 2> next{};
  board::ClaimRequest request;
  request.profile = "bench";
  request.host = this_host();
  request.holder = "bench";
  request.ttl = std::chrono::hours{1};
  Pair alone;
  Pair whole = compare(k_claims, [&](bool large) {
    const std::string& id = ids[large].at(next[large]++);
    const Nanos called = monotonic_now();
    const Nanos inside = boards.of(large).write([&](board::Change& change) -> Result<Nanos> {
      const Nanos began = monotonic_now();
      TRY(board::claim(change, id, request));
      return monotonic_now() - began;
    });
    (large ? alone.large : alone.small).add(inside);
    return monotonic_now() - called;
  });
  return {std::move(whole), std::move(alone)};
}

template <class Body>
Pair compare_reads(Boards& boards, int count, Body body) {
  return compare(count, [&](bool large) {
    const Nanos began = monotonic_now();
    boards.of(large).read(body);
    return monotonic_now() - began;
  });
}

}  // namespace

std::vector<Row> measure_scale(Effort effort) {
  Boards boards;
  fill(boards.small, k_small);
  fill(boards.large, k_large);
  std::map<std::string, VerdictMode> verdicts;
  for (int i = 0; i < k_assignees; ++i) {
    verdicts.emplace(assignee(i), VerdictMode::by_exit_code);
  }
  const HostIdentity host = this_host();
  const int reads = effort.of(2000, 50);

  const Pair lists = compare_reads(boards, reads, [](db::Reader& tx) {
    return must(board::list_tasks(tx, {.limit = k_page})).size();
  });
  const Pair stats = compare_reads(
      boards, reads, [](db::Reader& tx) { return board::stats(tx).by_status.size(); });
  const Pair looks = compare_reads(boards, reads, [&](db::Reader& tx) {
    const Instant now = wall_clock_now();
    return board::snapshot(tx, "default", now, {}, verdicts, host, k_cap).candidates.size();
  });
  const Words list{BENCH_HERMES, "kanban", "list", "--limit", std::to_string(k_page)};
  const Pair commands = compare(effort.of(100, 5), [&](bool large) {
    return time_of_run(list, boards.home_of(large).environment());
  });
  const auto [claims, claims_alone] = compare_claims(boards);
  return {
      row_of("claim", "claim, with its COMMIT", claims),
      row_of("claim sql", "claim, its statements alone", claims_alone),
      row_of("list", fmt::format("list of {}, kernel library", k_page), lists),
      row_of("list cli", fmt::format("`hermes kanban list --limit {}`", k_page), commands),
      row_of("stats", "stats, kernel library", stats),
      row_of("look", "what the dispatcher reads before it decides", looks),
  };
}

}  // namespace hermes::bench
