// db_churn [--seconds N]: 8 writers and 4 readers of 200 ms on one board, each killed with SIGKILL
// at random instants and started again. A writer appends a row's number to its journal only after
// COMMIT returned; at the end every journalled number must be on the board, the file must pass
// integrity_check, the WAL must have stayed small, and nobody may have been told "busy". Then,
// without kills, 24 writers for a quarter of the time: the worst wait for a commit.

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "kernel/db/database.hpp"

using namespace hermes;
using hermes::db::Database;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int k_writers = 8;
constexpr int k_readers = 4;
constexpr std::int64_t k_wal_limit = 24LL * 1024 * 1024;

struct Ground {
  std::filesystem::path dir;
  db::BoardFiles files() const { return {dir / "board.db", dir / "board.lock"}; }
  std::filesystem::path journal(int writer) const {
    return dir / fmt::format("journal.{}", writer);
  }
  std::filesystem::path troubles() const { return dir / "troubles"; }
};

void append(const std::filesystem::path& path, const std::string& line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::abort();
  }
  ::close(fd);
}

Database open_or_die(const Ground& ground) {
  auto database = Database::open(ground.files(), Database::Access::write, wall_clock_now());
  if (!database) {
    append(ground.troubles(), one_line(database.error()) + "\n");
    std::_Exit(3);
  }
  return std::move(*database);
}

[[noreturn]] void write_until_killed(const Ground& ground, int writer) {
  Database database = open_or_die(ground);
  const std::string filler(3000, 'x');
  while (true) {
    auto seq = database.write([&](db::Writer& tx) -> Result<std::int64_t> {
      tx.execute("INSERT INTO events (kind, payload, at) VALUES ('churn', '{' || $1, $2)", filler,
                 writer);
      return tx.last_insert_id();
    });
    if (!seq) {
      append(ground.troubles(), one_line(seq.error()) + "\n");
      std::_Exit(3);
    }
    append(ground.journal(writer), fmt::format("{}\n", *seq));
  }
}

[[noreturn]] void read_until_killed(const Ground& ground) {
  Database database = open_or_die(ground);
  while (true) {
    auto seen = database.read([&](db::Reader& tx) -> Result<void> {
      const auto end = Clock::now() + Millis{200};
      std::int64_t first = -1;
      while (Clock::now() < end) {
        auto rows = tx.query("SELECT max(seq) FROM events");
        rows.next();
        if (first >= 0 && rows.integer(0) != first) {
          return fail(ErrorCode::internal, "a read transaction saw the board change");
        }
        first = rows.integer(0);
        std::this_thread::sleep_for(Millis{5});
      }
      return {};
    });
    if (!seen) {
      append(ground.troubles(), one_line(seen.error()) + "\n");
      std::_Exit(3);
    }
  }
}

pid_t start(const Ground& ground, int role) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (role < k_writers) {
      write_until_killed(ground, role);
    }
    read_until_killed(ground);
  }
  return child;
}

struct Churned {
  int kills = 0;
  std::int64_t wal_most = 0;
};

Churned churn(const Ground& ground, std::chrono::seconds length) {
  std::mt19937 random(std::random_device{}());
  std::vector<pid_t> children;
  for (int role = 0; role < k_writers + k_readers; ++role) {
    children.push_back(start(ground, role));
  }
  Churned result;
  const auto end = Clock::now() + length;
  while (Clock::now() < end) {
    std::this_thread::sleep_for(Millis{random() % 60});
    const std::size_t victim = random() % children.size();
    ::kill(children[victim], SIGKILL);
    ::waitpid(children[victim], nullptr, 0);
    children[victim] = start(ground, static_cast<int>(victim));
    ++result.kills;
    struct stat facts {};
    if (::stat((ground.dir / "board.db-wal").c_str(), &facts) == 0) {
      result.wal_most = std::max<std::int64_t>(result.wal_most, facts.st_size);
    }
  }
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  return result;
}

// Numbers that were acknowledged but are not on the board; `acknowledged` counts all.
int lost_rows(const Ground& ground, Database& database, int* acknowledged) {
  std::set<std::int64_t> present;
  const auto read = database.read([&](db::Reader& tx) -> Result<void> {
    auto rows = tx.query("SELECT seq FROM events");
    while (rows.next()) {
      present.insert(rows.integer(0));
    }
    return {};
  });
  int lost = read ? 0 : 1;
  for (int writer = 0; writer < k_writers; ++writer) {
    std::ifstream journal(ground.journal(writer));
    for (std::int64_t seq = 0; journal >> seq;) {
      ++*acknowledged;
      lost += present.contains(seq) ? 0 : 1;
    }
  }
  return lost;
}

// 24 writers, nobody killed: every commit's wait in ms, and the commits of the least lucky writer.
void measure_fairness(const Ground& ground, std::chrono::seconds length) {
  std::vector<pid_t> children;
  for (int writer = 0; writer < 24; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      Database database = open_or_die(ground);
      double worst = 0;
      int commits = 0;
      const auto end = Clock::now() + length;
      while (Clock::now() < end) {
        const auto before = Clock::now();
        const auto done = database.write([&](db::Writer& tx) -> Result<void> {
          tx.execute("INSERT INTO events (kind, at) VALUES ('fair', 0)");
          return {};
        });
        if (!done) {
          append(ground.troubles(), one_line(done.error()) + "\n");
          std::_Exit(3);
        }
        worst = std::max(worst,
                         std::chrono::duration<double, std::milli>(Clock::now() - before).count());
        ++commits;
      }
      append(ground.dir / "fairness", fmt::format("{} {}\n", commits, worst));
      std::_Exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    ::waitpid(child, nullptr, 0);
  }
  std::ifstream lines(ground.dir / "fairness");
  int least = 1 << 30;
  int most = 0;
  double worst = 0;
  int commits = 0;
  for (double wait = 0; lines >> commits >> wait;) {
    least = std::min(least, commits);
    most = std::max(most, commits);
    worst = std::max(worst, wait);
  }
  fmt::print("24 writers for {} s: {} to {} commits each, worst wait {:.0f} ms\n", length.count(),
             least, most, worst);
}

}  // namespace

int main(int argc, char* argv[]) {
  int seconds = 8;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) {
      std::from_chars(argv[i + 1], argv[i + 1] + std::strlen(argv[i + 1]), seconds);
    }
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "hermes-churn-XXXXXX").string();
  const Ground ground{::mkdtemp(pattern.data())};
  if (const auto made = Database::create(ground.files(), wall_clock_now()); !made) {
    fmt::print(stderr, "{}\n", one_line(made.error()));
    return 1;
  }
  const Churned churned = churn(ground, std::chrono::seconds{seconds});

  int acknowledged = 0;
  int lost = 0;
  std::size_t problems = 0;
  {
    Database database = open_or_die(ground);
    lost = lost_rows(ground, database, &acknowledged);
    const auto found = database.check_integrity(false);
    problems = found ? found->size() : 1;
  }
  fmt::print(
      "{} s, {} kills: {} commits acknowledged, {} lost, integrity problems {}, WAL at most {:.1f} "
      "MiB\n",
      seconds, churned.kills, acknowledged, lost, problems,
      static_cast<double>(churned.wal_most) / 1048576.0);
  measure_fairness(ground, std::chrono::seconds{std::max(seconds / 4, 2)});
  std::ifstream troubles(ground.troubles());
  bool troubled = false;
  for (std::string line; std::getline(troubles, line);) {
    fmt::print("shown to a user: {}\n", line);
    troubled = true;
  }
  std::filesystem::remove_all(ground.dir);
  const bool good = lost == 0 && problems == 0 && !troubled && acknowledged > 100 &&
                    churned.wal_most <= k_wal_limit;
  fmt::print("{}\n", good ? "good" : "BAD");
  return good ? 0 : 1;
}
