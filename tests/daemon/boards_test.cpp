// One dispatcher, several boards: what is wrong with one of them is nothing to the others.
#include <fmt/core.h>

#include <csignal>

#include "daemon/rig.hpp"
#include "kernel/base/files.hpp"

namespace hermes::daemon::test {

namespace {

// A process that is none of ours and keeps a board's write gate until it is killed.
class GateHolder {
 public:
  explicit GateHolder(const home::BoardPaths& board)
      : program_("/usr/bin/flock", {board.lock().string(), "sleep", "600"},
                 {{"PATH", "/usr/bin:/bin"}, {"MARK", board.dir.string()}}, "/dev/null",
                 "/dev/null"),
        mark_("MARK=" + board.dir.string()) {
    REQUIRE(wait_until([&] { return flock_holder(board.lock()).has_value(); }));
  }
  ~GateHolder() { let_go(); }
  GateHolder(const GateHolder&) = delete;
  GateHolder& operator=(const GateHolder&) = delete;

  void let_go() {
    for (const pid_t pid : processes_with(mark_)) {
      ::kill(pid, SIGKILL);
    }
    program_.wait();
  }

 private:
  Program program_;
  std::string mark_;
};

void check_no_complaint(const Rig& rig) {
  CHECK(rig.said().find("error") == std::string::npos);
  CHECK(rig.said().find("warning") == std::string::npos);
}

void check_served(BoardHand& board) {
  for (int i = 0; i < 3; ++i) {
    const std::string id = board.add("exit 0");
    REQUIRE(board.wait_for(id, Status::done));
    CHECK(board.runs(id).size() == 1);
  }
}

bool told_of(const Rig& rig, const std::string& board) {
  return rig.wait_until_said("board " + board + " cannot be served for now");
}

}  // namespace

TEST_CASE("every board of the home is served, one made while the dispatcher runs too", "[daemon]") {
  Rig rig;
  const std::string first = rig.board().add("exit 0");
  rig.start();
  REQUIRE(rig.board().wait_for(first, Status::done));
  BoardHand& later = rig.board("later");
  const std::string second = later.add("echo \"$HERMES_KANBAN_BOARD\"");
  REQUIRE(later.wait_for(second, Status::done));
  CHECK(later.last_run(second).summary == "later");
}

TEST_CASE("a board that is taken away while its worker runs does not end the dispatcher",
          "[daemon]") {
  Rig rig;
  BoardHand& moved = rig.board("moved");
  const std::string id = moved.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(moved.wait_until_works(id));
  moved.close();
  const fs::path aside = rig.path("aside");
  fs::rename(moved.paths().dir, aside);
  REQUIRE(rig.board().wait_for(rig.board().add("exit 0"), Status::done));
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  fs::rename(aside, moved.paths().dir);
  REQUIRE(moved.wait_for(id, Status::done));
  INFO(moved.runs(id).front().error.value_or("no error") << "\n" << rig.said());
  CHECK(moved.runs(id).size() == 1);
  CHECK_FALSE(rig.dispatcher().ended());
}

TEST_CASE("a damaged board is left as it is, and the other one goes on being served", "[daemon]") {
  Rig rig;
  BoardHand& damaged = rig.board("damaged");
  damaged.add("exit 0");
  damaged.close();
  rig.give_up("damaged");
  const fs::path file = damaged.paths().database();
  const std::string garbage(64 * 1024, '\xA5');
  write_text(file, garbage);
  fs::remove(file.string() + "-wal");
  fs::remove(file.string() + "-shm");
  BoardHand& good = rig.board();
  const std::string parent = good.add("exit 0");
  const std::string child = good.add("exit 0", {parent});
  rig.start();
  REQUIRE(told_of(rig, "damaged"));
  REQUIRE(good.wait_for(child, Status::done));
  REQUIRE(good.wait_for(good.add("exit 0"), Status::done));
  CHECK(text_of(file) == garbage);
  CHECK(rig.stop() == 0);
  CHECK(text_of(file) == garbage);
}

TEST_CASE("a board of a newer program is not served, and the others are", "[daemon]") {
  Rig rig;
  BoardHand& newer = rig.board("newer");
  newer.add("exit 0");
  newer.sql("PRAGMA user_version = 9999");
  newer.close();
  rig.give_up("newer");
  rig.start();
  REQUIRE(told_of(rig, "newer"));
  CHECK(rig.said().find("9999") != std::string::npos);
  REQUIRE(rig.board().wait_for(rig.board().add("exit 0"), Status::done));
  CHECK_FALSE(rig.dispatcher().ended());
}

TEST_CASE("a board migrated by a newer program under a running dispatcher ends it with status 75",
          "[daemon]") {
  Rig rig;
  BoardHand& newer = rig.board("newer");
  const std::string ends = newer.add(rig.waits_for("go"));
  const std::string goes_on = newer.add("exec sleep 600");
  rig.give_up("newer");
  rig.start();
  REQUIRE(newer.wait_until_works(ends));
  REQUIRE(newer.wait_until_works(goes_on));
  const auto worker = static_cast<pid_t>(*newer.last_run(goes_on).worker_pid);
  newer.sql("PRAGMA user_version = 9999");
  newer.close();
  rig.open("go");  // an end to be recorded: whoever writes looks at the version first
  const auto status = rig.dispatcher().wait(k_patience);
  REQUIRE(status.has_value());
  CHECK(*status == 75);
  CHECK(lives(worker));  // it is left to the newer dispatcher
}

TEST_CASE("a gate kept by somebody else delays that board only, and nobody is told an error",
          "[daemon]") {
  Rig rig;
  BoardHand& held = rig.board("held");
  BoardHand& free = rig.board();
  const std::string waiting = held.add(rig.waits_for("go"));
  SECTION("from before the dispatcher starts") {
    GateHolder holder(held.paths());
    rig.start();
    check_served(free);
    CHECK(held.runs(waiting).empty());
    rig.open("go");
    holder.let_go();
  }
  SECTION("while a worker of it ends") {
    rig.start();
    REQUIRE(held.wait_until_works(waiting));
    GateHolder holder(held.paths());
    rig.open("go");
    REQUIRE(rig.wait_until_alone());
    check_served(free);
    CHECK(held.task(waiting).status == Status::running);
    holder.let_go();
  }
  REQUIRE(held.wait_for(waiting, Status::done));
  CHECK(held.runs(waiting).size() == 1);
  check_no_complaint(rig);
}

TEST_CASE("waiting for a gate costs the dispatcher next to no processor time", "[daemon]") {
  Rig rig;
  BoardHand& held = rig.board("held");
  const std::string waiting = held.add("exit 0");
  GateHolder holder(held.paths());
  rig.start();
  REQUIRE(rig.board().wait_for(rig.board().add("exit 0"), Status::done));
  const auto before = cpu_time_of(rig.dispatcher().pid());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{1500};
  wait_until([&] { return std::chrono::steady_clock::now() >= deadline; });
  CHECK(cpu_time_of(rig.dispatcher().pid()) - before < std::chrono::milliseconds{200});
  holder.let_go();
  REQUIRE(held.wait_for(waiting, Status::done));
}

}  // namespace hermes::daemon::test
