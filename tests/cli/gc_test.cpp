#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/run_hermes.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/registry.hpp"
#include "kernel/home/workspace.hpp"
#include "support/git_repository.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

void age(const fs::path& path, std::chrono::hours by) {
  const timespec then{static_cast<time_t>(wall_clock_now().seconds() - by.count() * 3600), 0};
  const timespec times[] = {then, then};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

void put(const fs::path& path, const std::string& text = "x") {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

// A home whose tasks and events can be made older.
struct Ground {
  Hermes hermes;

  home::BoardPaths board() const { return home::Home{hermes.home()}.board("default"); }
  void sql(const std::string& text) const {
    auto database =
        db::Database::open(home::files_of(board()), db::Database::Access::write, wall_clock_now());
    REQUIRE(database);
    REQUIRE(database->write([&](db::Writer& tx) -> Result<int> { return tx.execute(text); }));
  }
  // A run of it is over, and its processes may live on.
  void stopping(const std::string& id) const {
    sql("INSERT INTO runs (task_id, attempt, token, holder_kind, host, boot, started_at, ended_at, "
        "outcome) VALUES ('" +
        id + "', 9, 'x', 'shim', 'h', 'b', 1, 2, 'reclaimed')");
  }
  Json gc(std::vector<std::string> flags = {}) const {
    flags.insert(flags.begin(), {"gc", "--json"});
    return json_of(hermes.kanban(flags));
  }
  fs::path workspace(const std::string& id) const {
    Task task;
    task.id = id;
    REQUIRE(home::prepare_workspace(board(), task));
    put(board().workspace(id) / "deep" / "file", "12345");
    return board().workspace(id);
  }
  std::string task(const std::string& status) const {
    const std::string id = hermes.create({status});
    if (status == "done" || status == "archived") {
      REQUIRE(hermes.kanban({"complete", id}).status == 0);
    }
    if (status == "archived") {
      REQUIRE(hermes.kanban({"archive", id}).status == 0);
    }
    return id;
  }
  std::vector<std::string> kinds(const std::string& id) const {
    std::vector<std::string> out;
    const Json whole = json_of(hermes.kanban({"show", id, "--json"}));
    for (const Json& event : whole["events"]) {
      out.push_back(event["kind"]);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("workspaces go with archived tasks, once nothing of them runs", "[cli][gc]") {
  const Ground ground;
  const std::string archived = ground.task("archived");
  const std::string ends = ground.task("archived");
  const std::string done = ground.task("done");
  const std::string ready = ground.task("ready");
  for (const std::string& id : {archived, ends, done, ready, std::string("t_0badcafe")}) {
    ground.workspace(id);
  }
  ground.stopping(ends);
  // Not ours: no mark, a link, another name.
  const std::string unmarked = ground.task("archived");
  put(ground.board().workspace(unmarked) / "precious");
  put(ground.board().workspaces() / "notes" / "precious");
  put(ground.hermes.dir() / "user" / "precious");
  const std::string linked = ground.task("archived");
  fs::create_symlink(ground.hermes.dir() / "user", ground.board().workspace(linked));
  fs::create_symlink(ground.hermes.dir() / "user", ground.board().workspace(archived) / "out");

  const Json planned = ground.gc({"--dry-run"});
  CHECK(planned["workspaces"]["removed"] == 2);
  CHECK(fs::exists(ground.board().workspace(archived)));
  const Json swept = ground.gc();
  CHECK(swept["workspaces"]["removed"] == 2);
  CHECK(swept["workspaces"]["bytes"].get<int>() >= 10);
  CHECK(!fs::exists(ground.board().workspace(archived)));
  CHECK(!fs::exists(ground.board().workspace("t_0badcafe")));  // of no task there is
  for (const std::string& id : {ends, done, ready, unmarked, linked}) {
    CHECK(fs::exists(ground.board().workspace(id)));
  }
  CHECK(fs::exists(ground.hermes.dir() / "user" / "precious"));
  CHECK(fs::exists(ground.board().workspaces() / "notes" / "precious"));
}

TEST_CASE("a workspace of a done task is kept for its time and for who comes after", "[cli][gc]") {
  const Ground ground;
  const std::string done = ground.task("done");
  const std::string parent = ground.task("done");
  REQUIRE(!ground.hermes.create({"child", "--parent", parent}).empty());
  ground.workspace(done);
  ground.workspace(parent);
  CHECK(ground.gc()["workspaces"]["removed"] == 0);
  ground.sql("UPDATE tasks SET updated_at = updated_at - 31 * 86400000 WHERE status = 'done'");
  CHECK(ground.gc({"--workspace-retention-days", "40"})["workspaces"]["removed"] == 0);
  CHECK(ground.gc()["workspaces"]["removed"] == 1);
  CHECK(fs::exists(ground.board().workspace(parent)));
}

namespace {

// What `change` does while a gc waits at the gate; the exit status of that gc.
int gc_that_meets(const Ground& ground, const std::function<Result<int>(db::Writer&)>& change) {
  struct stat lock {};
  REQUIRE(::stat(ground.board().lock().c_str(), &lock) == 0);
  const auto somebody_waits = [&] {
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
      if (line.find("-> FLOCK") != std::string::npos &&
          line.find(fmt::format(":{} ", lock.st_ino)) != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  auto database = db::Database::open(home::files_of(ground.board()), db::Database::Access::write,
                                     wall_clock_now());
  REQUIRE(database);
  std::optional<Running> gc;
  REQUIRE(database->write([&](db::Writer& tx) -> Result<int> {
    gc.emplace(ground.hermes.start({"kanban", "gc"}));
    CHECK(wait_until(somebody_waits));
    return change(tx);
  }));
  return gc->wait();
}

}  // namespace

TEST_CASE("a task that is taken up again while gc waits for the gate keeps its workspace",
          "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("done");
  ground.workspace(id);
  ground.sql("UPDATE tasks SET updated_at = updated_at - 31 * 86400000");
  CHECK(gc_that_meets(ground, [&](db::Writer& tx) -> Result<int> {
          return tx.execute(
              "UPDATE tasks SET status = 'review', lane = 'review', ready_since = 1, eligible_at = "
              "1, completed_at = NULL WHERE id = $1",
              id);
        }) == 0);
  CHECK(fs::exists(ground.board().workspace(id) / "deep" / "file"));
}

TEST_CASE("a workspace that somebody removes while gc waits for the gate is no failure of gc",
          "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("done");
  ground.workspace(id);
  ground.sql("UPDATE tasks SET updated_at = updated_at - 31 * 86400000");
  CHECK(gc_that_meets(ground, [&](db::Writer&) -> Result<int> {
          CHECK(home::remove_scratch(ground.board(), id));
          return 0;
        }) == 0);
  CHECK_FALSE(fs::exists(ground.board().workspace(id)));
}

TEST_CASE("a workspace that a killed gc had set aside is removed by the next one", "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("ready");
  ground.workspace(id);
  const auto aside = home::set_aside(ground.board(), id);
  REQUIRE(aside);
  ground.workspace(id);  // of the next attempt
  CHECK(ground.gc()["workspaces"]["removed"] == 1);
  CHECK_FALSE(fs::exists(*aside));
  CHECK(fs::exists(ground.board().workspace(id) / "deep" / "file"));
}

TEST_CASE("a task with thousands of old events is swept in pieces, to its last change of state",
          "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("ready");
  ground.sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
      " INSERT INTO events (task_id, kind, at) SELECT '" +
      id + "', 'commented', 1 FROM n");
  REQUIRE(ground.hermes.kanban({"complete", id}).status == 0);
  CHECK(ground.gc({"--event-retention-days", "0"})["events"]["removed"] > 2500);
  CHECK(ground.kinds(id) == std::vector<std::string>{"completed"});
}

TEST_CASE("events that are still to be delivered stay, until they are as old as events get",
          "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("ready");
  REQUIRE(ground.hermes
              .kanban({"notify-subscribe", id, "--platform", "telegram", "--chat-id", "1",
                       "--kinds", "commented"})
              .status == 0);
  REQUIRE(ground.hermes.kanban({"comment", id, "look"}).status == 0);
  REQUIRE(ground.hermes.kanban({"complete", id}).status == 0);
  const auto rows = [&](const std::string& of) {
    auto database = db::Database::open(home::files_of(ground.board()), db::Database::Access::read,
                                       wall_clock_now());
    REQUIRE(database);
    return *database->read([&](db::Reader& tx) -> Result<std::int64_t> {
      auto row = tx.query("SELECT count(*) FROM " + of);
      row.next();
      return row.integer(0);
    });
  };
  REQUIRE(rows("deliveries") == 1);
  ground.gc({"--event-retention-days", "0"});
  CHECK(ground.kinds(id) == std::vector<std::string>{"commented", "completed"});
  CHECK(rows("deliveries WHERE state = 'pending'") == 1);
  ground.sql("UPDATE events SET at = at - 31 * 86400000");
  REQUIRE(ground.hermes.kanban({"archive", id}).status == 0);
  CHECK(ground.gc({"--dry-run"})["deliveries"]["given_up"] == 1);
  CHECK(rows("deliveries WHERE state = 'pending'") == 1);
  const Ran swept = ground.hermes.kanban({"gc", "--json"});
  CHECK(json_of(swept)["deliveries"]["given_up"] == 1);
  CHECK(swept.err.find("1 message has waited") != std::string::npos);
  CHECK(ground.kinds(id).front() == "archived");
  CHECK(rows("deliveries") == 0);
}

TEST_CASE("old events of the board itself go too", "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("archived");
  REQUIRE(ground.hermes.kanban({"archive", "--rm", id}).status == 0);
  CHECK(ground.gc()["events"]["removed"] == 0);
  ground.sql("UPDATE events SET at = at - 31 * 86400000");
  CHECK(ground.gc({"--dry-run"})["events"]["removed"] == 1);
  CHECK(ground.gc()["events"]["removed"] == 1);
}

TEST_CASE("old events of finished tasks go, and their replay still says where they are",
          "[cli][gc]") {
  const Ground ground;
  const std::string done = ground.task("done");
  const std::string archived = ground.task("archived");
  const std::string ready = ground.task("ready");
  REQUIRE(ground.hermes.kanban({"comment", done, "later"}).status == 0);
  CHECK(ground.gc()["events"]["removed"] == 0);
  ground.sql("UPDATE events SET at = at - 31 * 86400000");
  const std::string young = ground.task("done");
  CHECK(ground.gc({"--dry-run"})["events"]["removed"] == 3);
  CHECK(ground.kinds(done).size() == 3);
  CHECK(ground.gc()["events"]["removed"] == 3);
  CHECK(ground.kinds(done) == std::vector<std::string>{"completed", "commented"});
  CHECK(ground.kinds(archived) == std::vector<std::string>{"archived"});
  CHECK(ground.kinds(ready) == std::vector<std::string>{"created"});
  CHECK(ground.kinds(young).size() == 2);
  CHECK(ground.hermes.kanban({"doctor"}).status == 0);
  CHECK(ground.gc({"--event-retention-days", "0"})["events"]["removed"] == 1);
  CHECK(ground.kinds(young) == std::vector<std::string>{"completed"});
  CHECK(ground.kinds(ready).size() == 1);
  CHECK(ground.hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("an event from a clock that was wrong leaves no gap in what is kept", "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.hermes.create({"x"});
  REQUIRE(ground.hermes.kanban({"block", id, "a"}).status == 0);
  REQUIRE(ground.hermes.kanban({"unblock", id}).status == 0);
  REQUIRE(ground.hermes.kanban({"complete", id}).status == 0);
  ground.sql("UPDATE events SET at = at - 31 * 86400000 WHERE kind <> 'blocked'");
  CHECK(ground.gc()["events"]["removed"] == 1);  // only what came before the young one
  CHECK(ground.hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("old logs go, but never of a task that is not over", "[cli][gc]") {
  const Ground ground;
  const std::string done = ground.task("done");
  const std::string ready = ground.task("ready");
  const std::string blocked = ground.hermes.create({"x", "--initial-status", "blocked"});
  const std::string running = ground.task("ready");
  REQUIRE(ground.hermes.kanban({"claim", running}).status == 0);
  const fs::path logs = ground.board().logs();
  for (const std::string& id : {done, ready, blocked, running}) {
    put(logs / (id + ".1.log"));
    put(logs / (id + ".1.log.1"));
  }
  put(logs / (done + ".2.log"));
  put(logs / "notes.log");
  put(logs / (done + ".txt"));
  for (const auto& entry : fs::directory_iterator(logs)) {
    age(entry.path(), std::chrono::hours{24 * 31});
  }
  age(logs / (done + ".2.log"), std::chrono::hours{24 * 29});
  CHECK(ground.gc({"--dry-run"})["logs"]["removed"] == 2);
  CHECK(ground.gc()["logs"]["removed"] == 2);
  CHECK(!fs::exists(logs / (done + ".1.log")));
  CHECK(std::distance(fs::directory_iterator(logs), {}) == 9);
  CHECK(ground.gc({"--log-retention-days", "0"})["logs"]["removed"] == 1);
  std::ofstream(ground.hermes.home() / "config.toml") << "[gc]\nlog_retention = \"40d\"\n";
  put(logs / (done + ".3.log"));
  age(logs / (done + ".3.log"), std::chrono::hours{24 * 39});
  CHECK(ground.gc()["logs"]["removed"] == 0);
}

TEST_CASE("what was written of a log when its writer was killed goes at once, where nothing runs",
          "[cli][gc]") {
  const Ground ground;
  const std::string ready = ground.task("ready");
  const std::string running = ground.task("ready");
  const fs::path logs = ground.board().logs();
  const std::string mark = ".0123456789abcdef.tmp";
  for (const std::string& id : {ready, running}) {
    put(logs / (id + ".1.log"));
    put(logs / (id + ".1.log" + mark));
    put(logs / (id + ".2.log.1.tmp"));
  }
  ground.stopping(running);
  put(logs / (ready + ".1.txt.tmp"));
  put(logs / ("notes" + mark));
  CHECK(ground.gc()["logs"]["removed"] == 2);
  CHECK(!fs::exists(logs / (ready + ".1.log" + mark)));
  CHECK(!fs::exists(logs / (ready + ".2.log.1.tmp")));
  CHECK(std::distance(fs::directory_iterator(logs), {}) == 6);
}

TEST_CASE("a file without its row goes after a day, if it is ours", "[cli][gc]") {
  const Ground ground;
  const std::string id = ground.task("ready");
  for (const std::string name : {"kept", "orphan", "fresh"}) {
    REQUIRE(ground.hermes.kanban({"attach", id, "-", "--name", name}, name).status == 0);
  }
  const fs::path dir = ground.board().attachments_of(id);
  if (::lgetxattr((dir / "kept").c_str(), "user.hermes.attachment", nullptr, 0) < 0) {
    WARN("this filesystem knows no marks");
    return;
  }
  ground.sql("DELETE FROM attachments WHERE filename <> 'kept'");
  put(dir / "foreign");
  for (const std::string name : {"kept", "orphan", "foreign"}) {
    age(dir / name, std::chrono::hours{25});
  }
  CHECK(ground.gc()["attachments"]["removed"] == 1);
  CHECK(!fs::exists(dir / "orphan"));
  for (const std::string name : {"kept", "fresh", "foreign"}) {
    CHECK(fs::exists(dir / name));
  }
}

TEST_CASE("directories that killed commands have left go after a day", "[cli][gc]") {
  const Ground ground;
  const fs::path boards = ground.hermes.home() / "boards";
  for (const std::string name :
       {".new-beta-abcdef", ".deleted-beta-17", ".new-fresh-abcdef", ".other", "no board"}) {
    put(boards / name / "workspaces" / "file");
    if (name != ".new-fresh-abcdef") {
      age(boards / name, std::chrono::hours{25});
    }
  }
  CHECK(ground.gc()["leftovers"]["removed"] == 2);
  CHECK(!fs::exists(boards / ".new-beta-abcdef"));
  CHECK(!fs::exists(boards / ".deleted-beta-17"));
  CHECK(std::distance(fs::directory_iterator(boards), {}) == 4);
  CHECK(ground.hermes.kanban({"gc"}).out ==
        "GC complete: 0 workspaces, 0 event rows, 0 log files removed (0 bytes)\n");
  CHECK(ground.hermes.kanban({"gc", "--event-retention-days", "-1"}).status == 2);
}

TEST_CASE("a working tree stays while another task works in it, however its path is written",
          "[cli][gc]") {
  const Hermes hermes;
  const std::filesystem::path repository = hermes.dir() / "repository";
  make_repository(repository);
  const std::string first = hermes.create({"a", "--workspace", "worktree:" + repository.string()});
  REQUIRE(hermes.kanban({"claim", first}).status == 0);
  REQUIRE(hermes.kanban({"complete", first}).status == 0);
  const std::filesystem::path tree = repository / ".worktrees" / first;
  std::filesystem::create_directory_symlink(repository, hermes.dir() / "link");
  const std::string written =
      GENERATE(as<std::string>{}, "repository/.worktrees/ID/", "repository/.worktrees/ID/sub",
               "link/.worktrees/ID", "repository/.worktrees/");
  std::string name = written;
  if (const auto at = name.find("ID"); at != std::string::npos) {
    name.replace(at, 2, first);
  }
  const std::string path = hermes.dir() / name;
  std::filesystem::create_directories(path);
  const std::string other = hermes.create({"b", "--workspace", "dir:" + path});
  REQUIRE(hermes.kanban({"claim", other}).status == 0);
  const Ran archived = hermes.kanban({"archive", first});
  INFO(path);
  CHECK(archived.err.find(other + " works there") != std::string::npos);
  CHECK(std::filesystem::exists(tree / ".git"));
  REQUIRE(hermes.kanban({"complete", other}).status == 0);
  CHECK(hermes.kanban({"gc"}).out.find("1 working tree removed") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(tree));
}

}  // namespace hermes::test
