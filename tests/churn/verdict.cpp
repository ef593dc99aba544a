#include "churn/verdict.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <set>

#include "daemon/programs.hpp"
#include "kernel/board/invariants.hpp"

namespace hermes::churn {

namespace {

constexpr std::chrono::seconds k_patience{60};
// A log is shortened while it is written; the shim looks when so much has come (log_cap.cpp).
constexpr std::uintmax_t k_most_log_bytes = 2 * k_log_bytes;

constexpr const char* k_waiting =
    "SELECT 'run ' || id || ' of ' || task_id FROM runs WHERE gone_at IS NULL UNION ALL "
    "SELECT id || ' ' || status || ' of ' || assignee FROM tasks WHERE status = 'running' OR "
    "(status = 'scheduled' AND wake_at IS NOT NULL) OR status = 'review' OR (status = 'ready' AND "
    "assignee IN ('sh', 'agent', 'rev', 'slow'))";

}  // namespace

bool at_rest(const Ground& ground, std::string& waits) {
  waits.clear();
  for (const std::string& board : k_boards) {
    waits += ground.read(board, [](db::Reader& tx) {
      auto row = tx.query(k_waiting);
      std::string text;
      while (row.next() && text.size() < 500) {
        text += row.text(0) + "; ";
      }
      return text;
    });
  }
  return waits.empty();
}

std::int64_t open_work(const Ground& ground) {
  std::int64_t number = 0;
  for (const std::string& board : k_boards) {
    number += ground.read(board, [](db::Reader& tx) {
      auto row =
          tx.query("SELECT count(*) FROM tasks WHERE status IN ('ready', 'running', 'review')");
      return row.next() ? row.integer(0) : 0;
    });
  }
  return number;
}

void run_command(const Ground& ground, const std::vector<std::string>& words, Findings& findings) {
  daemon::test::Program program(CHURN_HERMES, words, ground.environment(), ground.path("last.out"),
                                ground.path("last.err"));
  const auto status = program.wait(k_patience);
  findings.check(
      status == 0, fmt::format("`hermes {}` ends with 0", fmt::join(words, " ")),
      fmt::format("{}: {}{}", status.value_or(-1), daemon::test::text_of(ground.path("last.out")),
                  daemon::test::text_of(ground.path("last.err"))));
}

void check_invariants(const Ground& ground, Findings& findings) {
  for (const std::string& name : k_boards) {
    for (const auto& violation :
         ground.read(name, [](db::Reader& tx) { return board::check_invariants(tx); })) {
      findings.add("the invariants hold", name + ": " + violation);
    }
  }
}

void check_boards(const Ground& ground, Findings& findings) {
  for (const std::string& name : k_boards) {
    auto database = ground.open(name);
    const auto problems = database.check_integrity(false);
    findings.check(problems && problems->empty(), "PRAGMA integrity_check says ok",
                   fmt::format("{}: {}", name, problems ? fmt::format("{}", *problems) : "error"));
  }
  check_invariants(ground, findings);
  run_command(ground, {"doctor"}, findings);
}

namespace {

// What files of tasks a board knows, each from its board's directory on.
std::set<std::string> known_files(const Ground& ground, const std::string& board) {
  return ground.read(board, [&](db::Reader& tx) {
    std::set<std::string> known;
    auto row = tx.query(
        "SELECT 'attachments/' || task_id || '/' || stored_name FROM attachments UNION ALL "
        "SELECT 'logs/' || task_id || '.' || attempt || '.log' FROM runs UNION ALL "
        "SELECT 'workspaces/' || id FROM tasks");
    while (row.next()) {
      known.insert(row.text(0));
    }
    return known;
  });
}

// A file of an attachment, a log, a workspace: whose task, run or row is gone is gone with it. Only
// a command that was killed between its row and its files leaves some: `attach` one, which gc takes
// after a day, and `archive --rm` the logs of a task, which gc takes after log_retention.
void check_owners(const Ground& ground, const std::string& board, int killed_clients,
                  Findings& findings) {
  const auto known = known_files(ground, board);
  std::set<std::string> strays;  // one for each killed command
  const fs::path dir = ground.home().board(board).dir;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    std::string name = fs::relative(entry.path(), dir);
    const bool tree = name.starts_with("workspaces/");
    if (tree ? std::ranges::count(name, '/') > 1
             : !entry.is_regular_file() || name.find('/') == std::string::npos) {
      continue;
    }
    if (name.ends_with(".log.1")) {
      name.resize(name.size() - 2);
    }
    const bool log = name.starts_with("logs/");
    const std::string task = log ? name.substr(5, name.find('.') - 5) : "";
    const bool left =
        log ? !known.contains("workspaces/" + task) : name.starts_with("attachments/");
    if (!known.contains(name) && left) {
      strays.insert(log ? task : name);
      if (strays.size() <= static_cast<std::size_t>(killed_clients)) {
        continue;
      }
    }
    findings.check(known.contains(name), "every file has its row on the board", entry.path());
  }
}

}  // namespace

void check_files(const Ground& ground, int killed_clients, Findings& findings) {
  for (const std::string& board : k_boards) {
    run_command(ground, {"kanban", "--board", board, "gc"}, findings);
  }
  static const std::regex expected(
      "config\\.toml|current|notice|dispatcher\\.log|profiles/[a-z]+/profile\\.toml|"
      "boards/[a-z]+/(board\\.(db|db-wal|db-shm|lock|toml)|logs/"
      "t_[0-9a-f]{8}\\.[0-9]+\\.log(\\.1)?|"
      "attachments/t_[0-9a-f]{8}/q[0-9]+z|workspaces/t_[0-9a-f]{8}/.*)");
  for (const auto& entry : fs::recursive_directory_iterator(ground.home().dir)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    const std::string name = fs::relative(entry.path(), ground.home().dir);
    findings.check(std::regex_match(name, expected), "no file is left that does not belong there",
                   name);
    if (name.find("/logs/") != std::string::npos) {
      findings.check(entry.file_size() <= k_most_log_bytes, "a log is bounded",
                     fmt::format("{} has {} bytes", name, entry.file_size()));
    }
  }
  for (const std::string& board : k_boards) {
    check_owners(ground, board, killed_clients, findings);
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(ground.home().records(board), none)) {
      findings.add("the records of runs go with them", entry.path());
    }
  }
}

}  // namespace hermes::churn
