#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/programs.hpp"
#include "kernel/base/random.hpp"
#include "kernel/board/change.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/facts.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"
#include "kernel/home/registry.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

namespace hermes::daemon::test {

using hermes::test::wait_until;

constexpr std::chrono::seconds k_patience{60};  // for what takes milliseconds on an idle machine

// A board as a person sees and changes it, beside the dispatcher that serves it.
class BoardHand {
 public:
  BoardHand(const home::Home& home, const std::string& slug);

  const std::string& slug() const { return paths_.slug; }
  const home::BoardPaths& paths() const { return paths_; }
  // Lets the files go, for tests that lay hands on them; the next use opens them again.
  void close() { database_.reset(); }

  template <class Body>
  auto as(const Actor& actor, Body body) {
    return database().write([&](db::Writer& tx) {
      board::Change change{tx, wall_clock_now(), actor, paths_.slug, limits_, random_};
      return body(change);
    });
  }
  template <class Body>
  auto change(Body body) {
    return as(person_, body);
  }
  template <class Body>
  auto read(Body body) {
    return database()
        .read([&](db::Reader& tx) -> Result<decltype(body(tx))> { return body(tx); })
        .value();
  }
  void sql(const std::string& text);

  // Of profile "sh" unless the request says otherwise: the body is its shell script.
  std::string create(board::NewTask request);
  std::string add(const std::string& script, std::vector<std::string> parents = {});

  Task task(const std::string& id);
  std::vector<Run> runs(const std::string& id);
  Run last_run(const std::string& id);
  std::vector<std::string> kinds(const std::string& id);  // of its events
  std::string log(const std::string& id, std::int64_t attempt = 1) const;
  std::int64_t count(Status status);
  std::int64_t processes();  // runs that are not gone

  bool wait_for(const std::string& id, Status status);
  // Claimed is not started yet: until its worker lives and its PID is on the board.
  bool wait_until_works(const std::string& id);
  // Done or not, its last worker and all that it started are known to be gone.
  bool wait_until_gone(const std::string& id);

  void check_invariants();

 private:
  db::Database& database();

  home::BoardPaths paths_;
  std::optional<db::Database> database_;
  SystemRandom random_;
  Limits limits_;
  Actor person_{"alice", std::nullopt};
};

// What a program that has ended said.
struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

// A home with the board "default" and the profile "sh" (exit code is the verdict), and dispatchers
// of it. At the end everything is killed and removed, and the invariants of every board are
// checked.
class Rig {
 public:
  explicit Rig(const std::string& config = "");
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  const home::Home& home() const { return home_; }
  fs::path path(const std::string& name) const { return directory_ / name; }
  void write_config(const std::string& text) const { write_text(home_.config(), text); }
  void write_profile(const std::string& name, const std::string& text) const;
  BoardHand& board(const std::string& slug = "default");
  // Its files are not to be trusted at the end.
  void give_up(const std::string& slug) { given_up_.push_back(slug); }

  // Of the dispatchers and commands started from then on.
  void set(const std::string& name, const std::string& value) { environment_[name] = value; }

  // A dispatcher, without waiting for anything, or until it serves.
  void launch(const std::vector<std::string>& flags = {});
  void start(const std::vector<std::string>& flags = {});
  Program& dispatcher() { return *dispatcher_; }
  void kill_dispatcher();     // SIGKILL, and it is reaped
  std::optional<int> stop();  // SIGTERM; its exit status
  std::string said() const;   // standard error of the last one
  bool wait_until_said(const std::string& text) const;

  static std::string hermes();  // path of the command

  // To its end.
  Ran run_dispatcher(const std::vector<std::string>& flags) const;
  Ran run_hermes(const std::vector<std::string>& words,
                 const std::map<std::string, std::string>& more = {}) const;

  // Shims, workers and what they have started; dispatchers left out.
  std::vector<pid_t> worker_processes() const;
  bool wait_until_alone() const;

  // A file that workers wait for: `while [ ! -e FILE ]; do sleep 0.02; done`.
  std::string waits_for(const std::string& name) const;
  void open(const std::string& name) const { write_text(path(name), ""); }

 private:
  Ran run(const fs::path& program, const std::vector<std::string>& words,
          const std::map<std::string, std::string>& environment) const;

  hermes::test::TempDir directory_;
  home::Home home_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::unique_ptr<BoardHand>> boards_;
  std::vector<std::string> given_up_;
  std::optional<Program> dispatcher_;
  int launched_ = 0;
};

}  // namespace hermes::daemon::test
