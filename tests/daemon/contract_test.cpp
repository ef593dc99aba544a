// Workers that keep to docs/workers.md, as a dispatcher starts them.
#include <fmt/core.h>

#include <sys/stat.h>

#include "daemon/rig.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/home/settings_edit.hpp"
#include "kernel/home/templates.hpp"

namespace hermes::daemon::test {

using Catch::Matchers::Contains;

namespace {

// The command `hermes`, found by workers in their PATH.
std::string env_section() {
  return fmt::format("\n[env]\nPATH = \"{}:/usr/local/bin:/usr/bin:/bin\"\n",
                     fs::path(Rig::hermes()).parent_path().string());
}

std::string create_for(BoardHand& board, const std::string& profile, const std::string& body) {
  return board.create({.title = "a", .body = body, .assignee = profile});
}

// A web server of one file, which answers what the last part of the path says.
constexpr const char* k_server = R"(
import http.server, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code = int(self.path.rsplit("/", 1)[1])
        self.send_response(code)
        self.end_headers()
        self.wfile.write(("%s %d %s\n" % (self.headers["Authorization"], len(body) > 0, self.headers["X-Hermes-Task"])).encode())
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
print(server.server_port, flush=True)
server.serve_forever()
)";

}  // namespace

TEST_CASE("the example workers orient themselves, ask where they must, and finish", "[daemon]") {
  for (const auto& [program, file] :
       {std::pair("bash", "worker.sh"), std::pair("python3", "worker.py")}) {
    INFO(file);
    Rig rig;
    rig.write_profile("example",
                      fmt::format("command = [\"{}\", \"{}/docs/examples/workers/{}\"]\n", program,
                                  TEST_SOURCE, file) +
                          env_section());
    BoardHand& board = rig.board();
    const std::string plain = create_for(board, "example", "count this");
    const std::string asks = create_for(board, "example", "DECIDE: red or blue");
    rig.start();
    REQUIRE(board.wait_for(plain, Status::done));
    const Run run = board.last_run(plain);
    CHECK(run.outcome == Outcome::completed);
    CHECK_THAT(run.summary.value_or(""), Contains("Counted"));
    CHECK_THAT(run.metadata.value_or(""), Contains("words") || Contains("lines"));
    REQUIRE(board.wait_for(asks, Status::blocked));
    CHECK(board.task(asks).block_kind == BlockKind::needs_input);
    CHECK(board.last_run(asks).outcome == Outcome::blocked);
    REQUIRE(rig.wait_until_alone());  // no sign of life goes on without its worker
  }
}

TEST_CASE("an example worker that is stopped ends at once, and says nothing", "[daemon]") {
  Rig rig;
  // Its work is made long by a `hermes` that hangs where the worker asks for the context.
  const fs::path bin = rig.path("bin");
  fs::create_directories(bin);
  rig.write_profile(
      "example",
      fmt::format("command = [\"bash\", \"{}/docs/examples/workers/worker.sh\"]\n[env]\nPATH = "
                  "\"{}:/usr/bin:/bin\"\n",
                  TEST_SOURCE, bin.string()));
  const fs::path fake = bin / "hermes";
  REQUIRE(write_file_atomically(fake, "#!/bin/sh\necho asked >&2\nexec sleep 600\n", 0755));
  BoardHand& board = rig.board();
  const std::string id = create_for(board, "example", "long");
  rig.start();
  REQUIRE(wait_until([&] { return board.log(id).find("asked") != std::string::npos; }, k_patience));
  REQUIRE(rig.run_hermes({"kanban", "block", id, "not now"}).status == 0);
  REQUIRE(board.wait_until_gone(id));
  CHECK(board.task(id).status == Status::blocked);
  CHECK(rig.wait_until_alone());
}

TEST_CASE("a worker reads in its context how to work, and nobody else does", "[daemon]") {
  Rig rig;
  rig.write_profile("reader",
                    "command = [\"sh\", \"-c\", \"hermes kanban context {task_id}; cat $0; "
                    "hermes kanban complete {task_id} --summary ok >/dev/null\", "
                    "\"{context_file}\"]\n" +
                        env_section());
  BoardHand& board = rig.board();
  const std::string id = create_for(board, "reader", "b");
  CHECK(rig.run_hermes({"kanban", "context", id}).out.find("How to work") == std::string::npos);
  CHECK_THAT(rig.run_hermes({"kanban", "context", id, "--contract"}).out,
             Contains("## How to work on this task"));
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  const std::string log = board.log(id);
  const auto first = log.find("## How to work on this task");
  REQUIRE(first != std::string::npos);
  CHECK(log.find("## How to work on this task", first + 1) != std::string::npos);
  CHECK_THAT(log, Contains("75: try again later"));
}

TEST_CASE("the env_file of a profile reaches its workers and nobody else", "[daemon]") {
  const std::string canary = "canary-51c97f3a";
  Rig rig;
  const std::string command = "command = [\"sh\", \"-c\", \"{body}\"]\nverdict = \"exit-code\"\n";
  rig.write_profile("keys", command + "env_file = \"keys.env\"\n");
  const fs::path file = rig.home().profile("keys").parent_path() / "keys.env";
  REQUIRE(write_file_atomically(file, "KEY=\"" + canary + "\"\n"));
  BoardHand& board = rig.board();
  const std::string test = "[ \"$KEY\" = " + canary.substr(0, 6) + "'" + canary.substr(6) + "' ]";
  const std::string sees = create_for(board, "keys", test);
  const std::string other = board.add("[ -z \"$KEY\" ]");
  rig.start({"--verbose"});
  CHECK(board.wait_for(sees, Status::done));
  CHECK(board.wait_for(other, Status::done));
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  const std::string refused =
      board.create({.title = "a", .body = "true", .assignee = "keys", .failure_limit = 1});
  REQUIRE(board.wait_for(refused, Status::blocked));
  CHECK(board.last_run(refused).outcome == Outcome::spawn_failed);
  CHECK_THAT(board.last_run(refused).error.value_or(""), Contains("can be used by others"));
  CHECK(rig.said().find(canary) == std::string::npos);
  CHECK(rig.run_hermes({"profile", "export", "keys"}).out.find(canary) == std::string::npos);
  CHECK(rig.run_hermes({"profile", "show", "keys", "--json"}).out.find(canary) ==
        std::string::npos);
  const fs::path backup = rig.path("backup.db");
  REQUIRE(rig.run_hermes({"kanban", "backup", backup.string()}).status == 0);
  CHECK(text_of(backup).find(canary) == std::string::npos);
}

TEST_CASE("the http template posts the task, and reads the answer's status as the verdict",
          "[daemon]") {
  Rig rig("[dispatcher]\nrate_limit_cooldown = \"1h\"\n");
  write_text(rig.path("server.py"), k_server);
  Program server("/usr/bin/python3", {rig.path("server.py").string()}, {}, rig.path("port"),
                 rig.path("server.err"));
  REQUIRE(wait_until([&] { return text_of(rig.path("port")).ends_with('\n'); }, k_patience));
  std::string port = text_of(rig.path("port"));
  port.pop_back();
  BoardHand& board = rig.board();
  const auto send = [&](const std::string& profile, const std::string& url) {
    std::string text = home::profile_template("http").value();
    text = home::with_setting(text, "env.HOOK_URL", home::toml_text(url), "http").value();
    text = home::with_setting(text, "env.HOOK_TOKEN", "\"tok\"", "http").value();
    rig.write_profile(profile, text);
    return board.create({.title = "a", .body = "say hi", .assignee = profile, .failure_limit = 1});
  };
  const std::string base = "http://127.0.0.1:" + port + "/";
  const std::string good = send("good", base + "200");
  const std::string busy = send("busy", base + "429");
  const std::string down = send("down", base + "503");
  const std::string wrong = send("wrong", base + "404");
  const std::string moved = send("moved", base + "302");
  const std::string gone = send("gone", "http://127.0.0.1:1/200");
  rig.start();
  REQUIRE(board.wait_for(good, Status::done));
  CHECK(board.last_run(good).summary == "Bearer tok 1 " + good);
  for (const std::string& held : {busy, down}) {
    INFO(board.log(held));
    REQUIRE(wait_until(
        [&] { return !board.runs(held).empty() && board.last_run(held).outcome.has_value(); },
        k_patience));
    CHECK(board.last_run(held).outcome == Outcome::rate_limited);
  }
  for (const std::string& failed : {wrong, moved, gone}) {
    REQUIRE(board.wait_for(failed, Status::blocked));
    CHECK(board.last_run(failed).outcome == Outcome::failed);
  }
  CHECK_THAT(board.log(wrong), Contains("404"));
  CHECK_THAT(board.log(moved), Contains("redirections are not followed"));
}

}  // namespace hermes::daemon::test
