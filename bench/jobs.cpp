// Durable jobs per second: tasks that wait when the dispatcher starts, to the last completed
// commit.
#include <fcntl.h>
#include <fmt/core.h>

#include <stdexcept>

#include "bench/board.hpp"
#include "bench/dispatcher.hpp"
#include "bench/measurements.hpp"
#include "bench/task_spooler.hpp"

namespace hermes::bench {

namespace {

constexpr const char* k_true = "/bin/true";
constexpr int k_cap = 16;
constexpr std::int64_t k_looked_at_closely = 100;  // of the last tasks

struct Drain {
  Nanos load = 0;   // putting the tasks on the board
  Nanos drain = 0;  // from the start of the dispatcher to the last commit
  Nanos cpu = 0;    // of the dispatcher, its supervisors and their workers
};

// Looks now and then while much is left, so as to take nothing from the dispatcher, and at every
// commit near the end, so that the last one is seen when it comes.
Drain drain_board(const TempHome& home, int count) {
  Drain took;
  Board board(home);
  Nanos began = monotonic_now();
  board.fill(count, "true");
  took.load = monotonic_now() - began;
  db::GateWatch gate = board.watch();
  const Nanos cpu_before = cpu_of_children();
  began = monotonic_now();
  {
    const Dispatcher dispatcher(home);
    const auto left = [&] { return count - board.count(Status::done); };
    wait_for(
        "most tasks to be done", [&] { return left() <= k_looked_at_closely; },
        std::chrono::minutes{5}, std::chrono::milliseconds{20});
    wait_at_gate("the last task to be done", gate, [&] { return left() == 0; });
    took.drain = monotonic_now() - began;
  }
  took.cpu = cpu_of_children() - cpu_before;
  const auto runs = board.number("SELECT count(*) FROM runs WHERE outcome = 'completed'");
  const auto others = board.number("SELECT count(*) FROM runs WHERE outcome <> 'completed'");
  if (runs != count || others != 0) {
    throw std::runtime_error(
        fmt::format("{} tasks took {} completed runs and {} others", count, runs, others));
  }
  return took;
}

struct Pairs {
  Nanos took = 0;
  Nanos cpu = 0;
};

Pairs spawn_in_pairs(const TempHome& home, int count) {
  const Words environment = home.environment();
  const Nanos cpu_before = cpu_of_children();
  const Nanos began = monotonic_now();
  pid_t first = spawn({k_true}, environment);
  for (int i = 1; i < count; ++i) {
    throw_if_interrupted();
    const pid_t second = spawn({k_true}, environment);
    wait_status(first);
    first = second;
  }
  wait_status(first);
  const Nanos took = monotonic_now() - began;
  return {took, cpu_of_children() - cpu_before};
}

// One row and one COMMIT each, with the very settings of a board's connection, and no gate.
Nanos commit_rows(const TempHome& home, int count) {
  db::Connection connection(home.dir() / "floor.db", db::OpenMode::create);
  connection.query("PRAGMA journal_mode = WAL").next();
  connection.execute_script("CREATE TABLE rows (id INTEGER PRIMARY KEY, at INTEGER)");
  const Nanos began = monotonic_now();
  for (int i = 0; i < count; ++i) {
    throw_if_interrupted();
    connection.execute("INSERT INTO rows (at) VALUES ($1)", i);
  }
  return monotonic_now() - began;
}

// What the first start of a task makes on disk: a directory, a file in it, and a log.
Nanos make_files(const TempHome& home, int count) {
  const fs::path dirs = home.dir() / "dirs";
  const fs::path logs = home.dir() / "logs";
  fs::create_directories(dirs);
  fs::create_directories(logs);
  const Nanos began = monotonic_now();
  for (int i = 0; i < count; ++i) {
    throw_if_interrupted();
    const fs::path dir = dirs / std::to_string(i);
    fs::create_directory(dir);
    for (const fs::path& path : {dir / "file", logs / std::to_string(i)}) {
      if (!Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600))) {
        throw std::runtime_error("cannot make " + path.string());
      }
    }
  }
  return monotonic_now() - began;
}

std::string rate(std::int64_t count, Nanos took) {
  return fmt::format("{:.0f}/s", per_second(count, took));
}

}  // namespace

std::vector<Row> measure_jobs(Effort effort) {
  const TempHome home;
  home.add_profile("true", {k_true});
  home.write_config(fmt::format("[dispatcher]\nmax_in_progress = {}\n", k_cap));
  const int count = effort.of(3000, 200);
  const Drain hermes = drain_board(home, count);
  const Pairs spawns = spawn_in_pairs(home, count);
  const Nanos files = make_files(home, count);
  const Nanos commits = commit_rows(home, count);
  const auto spooler = measure_task_spooler(home, count, k_cap);

  const double drained = per_second(count, hermes.drain);
  Row row;
  row.name = "jobs";
  row.figure = {fmt::format("{:.0f} durable jobs/s", drained),
                fmt::format("{} tasks of `true`, cap {}", count_text(count), k_cap),
                "start of the dispatcher → last commit",
                fmt::format("{} with loading them", rate(count, hermes.load + hermes.drain)),
                fmt::format("{} of CPU for each job", duration_text(hermes.cpu / count))};
  row.floor = {fmt::format("{} `true`, spawned and reaped in pairs", rate(count, spawns.took)),
               fmt::format("{} of CPU for each of them", duration_text(spawns.cpu / count)),
               fmt::format("{} COMMITs of one row (FULL)", rate(count, commits)),
               fmt::format("{} directories with a file, and a file", rate(count, files))};
  row.expect_at_least("jobs/s", drained, 800, "800");
  if (!spooler) {
    row.floor.emplace_back("task-spooler is not installed");
    return {row};
  }
  const double queued = per_second(count, spooler->queue_to_end);
  const double preloaded = per_second(spooler->preloaded, spooler->drain);
  row.floor.push_back(fmt::format("{:.0f}/s tsp, first queued → all ended", queued));
  row.floor.push_back(
      fmt::format("{:.0f}/s tsp, {} preloaded → all ended", preloaded, spooler->preloaded));
  row.expect_at_least("tsp, queued", drained, queued, fmt::format("{:.0f}", queued));
  row.expect_at_least("tsp, preloaded", drained, preloaded, fmt::format("{:.0f}", preloaded));
  return {row};
}

}  // namespace hermes::bench
