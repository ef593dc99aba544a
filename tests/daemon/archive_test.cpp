// Boards that leave, or are replaced, while a dispatcher and workers are about.
#include <nlohmann/json.hpp>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

TEST_CASE("a board is not put away while a worker of it lives, and is let go of cleanly",
          "[daemon][store]") {
  Rig rig;
  BoardHand& beta = rig.board("beta");
  const std::string id = beta.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(beta.wait_until_works(id));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"kanban", "boards", "rm", "beta"},
        {"kanban", "boards", "rm", "beta", "--delete", "--yes"}}) {
    const Ran refused = rig.run_hermes(words);
    CHECK(refused.status == 1);
    CHECK(refused.err.find(id) != std::string::npos);
  }
  SECTION("also without the dispatcher") {
    rig.kill_dispatcher();
    const Ran refused = rig.run_hermes({"kanban", "boards", "rm", "beta"});
    CHECK(refused.status == 1);
    CHECK(refused.err.find(id) != std::string::npos);
    rig.start();
  }
  rig.open("go");
  REQUIRE(beta.wait_for(id, Status::done));
  REQUIRE(beta.wait_until_gone(id));
  beta.close();
  rig.give_up("beta");
  const Ran done = rig.run_hermes({"kanban", "boards", "rm", "beta", "--json"});
  INFO(done.err);
  REQUIRE(done.status == 0);
  REQUIRE(rig.wait_until_said("board beta is gone"));
  REQUIRE(rig.board().wait_for(rig.board().add("exit 0"), Status::done));
  CHECK(rig.said().find("[error]") == std::string::npos);
  CHECK_FALSE(fs::exists(beta.paths().dir));
  CHECK(fs::is_empty(rig.home().records("beta")));
  // A later board of the name begins anew, and is served.
  BoardHand again(rig.home(), "beta");
  const std::string first = again.add("exit 0");
  REQUIRE(again.wait_for(first, Status::done));
  CHECK(again.last_run(first).id == 1);
  again.check_invariants();
}

TEST_CASE("a board is put away between the starts of its tasks, and none of them is lost",
          "[daemon][store]") {
  Rig rig;
  BoardHand& beta = rig.board("beta");
  rig.start();
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) {
    ids.push_back(beta.add("exit 0"));
  }
  beta.close();
  rig.give_up("beta");
  Ran ran;
  REQUIRE(wait_until(
      [&] {
        ran = rig.run_hermes({"kanban", "boards", "rm", "beta", "--json"});
        return ran.status == 0;
      },
      k_patience));
  REQUIRE(rig.wait_until_said("board beta is gone"));
  REQUIRE(rig.wait_until_alone());
  // Put back, it goes on where it was.
  fs::rename(nlohmann::json::parse(ran.out)["path"].get<std::string>(), beta.paths().dir);
  for (const std::string& id : ids) {
    REQUIRE(beta.wait_for(id, Status::done));
    CHECK(beta.runs(id).size() <= 2);
  }
  beta.check_invariants();
  CHECK_FALSE(rig.dispatcher().ended());
}

TEST_CASE("a board is restored only when no dispatcher serves and no worker lives",
          "[daemon][store]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string done = board.add("exit 0");
  const std::string works = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_for(done, Status::done));
  REQUIRE(board.wait_until_works(works));
  const std::string file = rig.path("b.db").string();
  REQUIRE(rig.run_hermes({"kanban", "backup", file}).status == 0);
  const std::vector<std::string> restore{"kanban", "restore", file, "--force"};
  const Ran served = rig.run_hermes(restore);
  CHECK(served.status == 3);
  CHECK(served.err.find("dispatcher stop") != std::string::npos);
  rig.stop();
  const Ran working = rig.run_hermes(restore);
  CHECK(working.status == 1);
  CHECK(working.err.find(works) != std::string::npos);
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  board.add("exit 0");
  board.close();
  Ran restored;  // the shim ends a moment after its worker
  const bool done_at_last = wait_until([&] {
    restored = rig.run_hermes(restore);
    return restored.err.find("are at work") == std::string::npos;
  });
  INFO(restored.err);
  REQUIRE(done_at_last);
  REQUIRE(restored.status == 0);
  CHECK(restored.out.find("1 open run closed as aborted") != std::string::npos);
  CHECK(board.runs(works).back().outcome == Outcome::aborted);
  CHECK(board.task(works).failures == 0);
  rig.start();
  REQUIRE(board.wait_for(works, Status::done));  // tried again
  CHECK(board.runs(works).size() == 2);
  CHECK(board.log(works, 2).empty());
  CHECK(board.count(Status::done) == 2);  // `later` is of a time that is not any more
  board.check_invariants();
  CHECK(rig.run_hermes({"doctor"}).status == 0);
}

TEST_CASE("a worker finds the attachments of its task, and adds its own", "[daemon][attach]") {
  Rig rig;
  BoardHand& board = rig.board();
  rig.write_profile("reader",
                    "command = [\"/bin/sh\", \"-c\", \"{body}\", \"sh\", \"{context_file}\"]\n"
                    "verdict = \"exit-code\"\n");
  const std::string id = board.create(
      {.title = "reads",
       .body = "file=$(sed -n 's/^- in.txt (text\\/plain, 1 KB): //p' \"$1\"); cat \"$file\" && "
               "echo made | " +
               Rig::hermes() +
               " kanban attach \"$HERMES_KANBAN_TASK\" - --name out.txt > "
               "/dev/null && cat \"$file\"",
       .assignee = "reader",
       .blocked = true});
  write_text(rig.path("in.txt"), "the input");
  REQUIRE(rig.run_hermes({"kanban", "attach", id, rig.path("in.txt").string()}).status == 0);
  REQUIRE(rig.run_hermes({"kanban", "unblock", id}).status == 0);
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  INFO(board.log(id));
  CHECK(board.last_run(id).summary->find("the input") != std::string::npos);
  CHECK(text_of(board.paths().attachments_of(id) / "out.txt") == "made\n");
}

}  // namespace hermes::daemon::test
