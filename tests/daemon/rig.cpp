#include "daemon/rig.hpp"

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "kernel/base/files.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/home/log_text.hpp"

namespace hermes::daemon::test {

namespace {

constexpr const char* k_shell_profile =
    "command = [\"/bin/sh\", \"-c\", \"{body}\"]\nverdict = \"exit-code\"\n";

}  // namespace

BoardHand::BoardHand(const home::Home& home, const std::string& slug) : paths_(home.board(slug)) {
  const auto made = home::create_board(home, slug, wall_clock_now());
  INFO((made ? "" : one_line(made.error())));
  REQUIRE(made);
}

db::Database& BoardHand::database() {
  if (!database_) {
    auto opened =
        db::Database::open(home::files_of(paths_), db::Database::Access::write, wall_clock_now());
    INFO((opened ? "" : one_line(opened.error())));
    REQUIRE(opened);
    database_.emplace(std::move(*opened));
  }
  return *database_;
}

void BoardHand::sql(const std::string& text) {
  const auto done =
      database().write([&](db::Writer& tx) -> Result<int> { return tx.execute(text); });
  INFO(text << (done ? "" : ": " + one_line(done.error())));
  REQUIRE(done);
}

std::string BoardHand::create(board::NewTask request) {
  if (request.assignee.empty()) {
    request.assignee = "sh";
  }
  const auto created = change([&](board::Change& c) { return board::create(c, request); });
  INFO((created ? "" : one_line(created.error())));
  REQUIRE(created);
  return created->task.id;
}

std::string BoardHand::add(const std::string& script, std::vector<std::string> parents) {
  return create({.title = script.substr(0, 60), .body = script, .parents = std::move(parents)});
}

Task BoardHand::task(const std::string& id) {
  return read([&](db::Reader& tx) { return board::get_task(tx, id).value(); });
}

std::vector<Run> BoardHand::runs(const std::string& id) {
  return read([&](db::Reader& tx) { return board::runs_of(tx, id); });
}

Run BoardHand::last_run(const std::string& id) {
  const auto all = runs(id);
  REQUIRE_FALSE(all.empty());
  return all.back();
}

std::vector<std::string> BoardHand::kinds(const std::string& id) {
  std::vector<std::string> found;
  for (const Event& event : read([&](db::Reader& tx) { return board::events_of(tx, id); })) {
    found.push_back(event.kind);
  }
  return found;
}

std::string BoardHand::log(const std::string& id, std::int64_t attempt) const {
  return home::read_log(paths_, id, attempt, 0).value_or("");
}

std::int64_t BoardHand::count(Status status) {
  return read([&](db::Reader& tx) {
    auto row = tx.query("SELECT count(*) FROM tasks WHERE status = $1", status);
    return row.next() ? row.integer(0) : -1;
  });
}

std::int64_t BoardHand::processes() {
  return read([](db::Reader& tx) {
    auto row = tx.query("SELECT count(*) FROM runs WHERE gone_at IS NULL");
    return row.next() ? row.integer(0) : -1;
  });
}

bool BoardHand::wait_for(const std::string& id, Status status) {
  const bool reached = wait_until([&] { return task(id).status == status; }, k_patience);
  if (!reached) {
    UNSCOPED_INFO(id << " is " << to_word(task(id).status) << " instead of " << to_word(status));
  }
  return reached;
}

bool BoardHand::wait_until_works(const std::string& id) {
  return wait_until(
      [&] {
        const auto all = runs(id);
        return !all.empty() && all.back().worker_pid && !all.back().ended_at;
      },
      k_patience);
}

bool BoardHand::wait_until_gone(const std::string& id) {
  return wait_until(
      [&] {
        const auto all = runs(id);
        return !all.empty() &&
               std::ranges::all_of(all, [](const Run& run) { return run.gone_at.has_value(); });
      },
      k_patience);
}

void BoardHand::check_invariants() {
  for (const auto& violation : read([](db::Reader& tx) { return board::check_invariants(tx); })) {
    FAIL_CHECK(slug() << ": " << violation);
  }
}

Rig::Rig(const std::string& config) : home_{directory_ / "home"} {
  REQUIRE(home::create_home(home_));
  if (!config.empty()) {
    write_config(config);
  }
  write_profile("sh", k_shell_profile);
  environment_ = {{"HERMES_HOME", home_.dir.string()},
                  {"HERMES_SHIM", TEST_SHIM},
                  {"HERMES_DISPATCHER", TEST_DISPATCHER},
                  {"PATH", "/usr/bin:/bin"},
                  {"HOME", directory_.path().string()}};
  board();
  // Orphans of a killed dispatcher become ours: a container's first process may not reap.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Rig::~Rig() {
  dispatcher_.reset();
  wait_until(
      [this] {
        const auto left = worker_processes();
        for (const pid_t pid : left) {
          ::kill(pid, SIGKILL);
        }
        return left.empty();
      },
      k_patience);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  if (std::uncaught_exceptions() == 0) {
    for (const auto& [slug, hand] : boards_) {
      if (std::ranges::find(given_up_, slug) == given_up_.end()) {
        hand->check_invariants();
      }
    }
  }
  boards_.clear();
  hermes::test::remove_run_directory(home_.dir);
}

void Rig::write_profile(const std::string& name, const std::string& text) const {
  REQUIRE(make_directory(home_.profile(name).parent_path()));
  write_text(home_.profile(name), text);
}

BoardHand& Rig::board(const std::string& slug) {
  auto& hand = boards_[slug];
  if (!hand) {
    hand = std::make_unique<BoardHand>(home_, slug);
  }
  return *hand;
}

void Rig::launch(const std::vector<std::string>& flags) {
  REQUIRE((!dispatcher_ || dispatcher_->ended()));
  ++launched_;
  dispatcher_.reset();
  dispatcher_.emplace(TEST_DISPATCHER, flags, environment_, path("out"),
                      path(fmt::format("err-{}", launched_)));
}

void Rig::start(const std::vector<std::string>& flags) {
  launch(flags);
  INFO(said());
  REQUIRE(wait_until_said("serving"));
}

void Rig::kill_dispatcher() {
  dispatcher_->signal(SIGKILL);
  REQUIRE(dispatcher_->wait());
}

std::optional<int> Rig::stop() {
  dispatcher_->signal(SIGTERM);
  return dispatcher_->wait();
}

std::string Rig::said() const { return text_of(path(fmt::format("err-{}", launched_))); }

bool Rig::wait_until_said(const std::string& text) const {
  return wait_until([&] { return said().find(text) != std::string::npos; }, k_patience);
}

Ran Rig::run(const fs::path& program, const std::vector<std::string>& words,
             const std::map<std::string, std::string>& environment) const {
  const hermes::test::TempDir output;
  Program running(program, words, environment, output / "out", output / "err");
  const auto status = running.wait(k_patience);
  return {status.value_or(-1), text_of(output / "out"), text_of(output / "err")};
}

std::string Rig::hermes() { return TEST_HERMES; }

Ran Rig::run_dispatcher(const std::vector<std::string>& flags) const {
  return run(TEST_DISPATCHER, flags, environment_);
}

Ran Rig::run_hermes(const std::vector<std::string>& words,
                    const std::map<std::string, std::string>& more) const {
  auto environment = more;
  environment.insert(environment_.begin(), environment_.end());
  return run(TEST_HERMES, words, environment);
}

std::vector<pid_t> Rig::worker_processes() const {
  auto found = processes_with("HERMES_HOME=" + home_.dir.string());
  std::erase_if(found, [](pid_t pid) {
    std::error_code gone;
    return fs::read_symlink(fs::path("/proc") / std::to_string(pid) / "exe", gone) ==
           TEST_DISPATCHER;
  });
  return found;
}

bool Rig::wait_until_alone() const {
  return wait_until([this] { return worker_processes().empty(); }, k_patience);
}

std::string Rig::waits_for(const std::string& name) const {
  return fmt::format("while [ ! -e '{}' ]; do sleep 0.02; done", path(name).string());
}

}  // namespace hermes::daemon::test
