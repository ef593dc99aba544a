#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/attachments.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;

// A task that is being worked on by hand, in its scratch workspace.
struct Bench {
  Hermes hermes;
  std::string id = hermes.create({"makes files"});
  Json claim = json_of(hermes.kanban({"claim", id, "--json"}));
  fs::path scratch = claim["workspace"].get<std::string>();
  fs::path kept = hermes.board() / "attachments" / id;

  std::string put(const std::string& name, const std::string& text) const {
    const fs::path path = scratch / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  Ran complete(const Json& artifacts) const {
    return hermes.kanban({"complete", id, "--json", "--metadata",
                          Json({{"artifacts", artifacts}, {"n", 1}}).dump()});
  }
  Json show() const { return json_of(hermes.kanban({"show", id, "--json"})); }
  std::size_t copies() const {
    std::error_code ignored;
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(kept, ignored), {}));
  }
  // A completion that must be refused, and must have changed nothing.
  void refuses(const Json& artifacts, const std::string& words) const {
    const std::int64_t before = hermes.last_event();
    const Ran ran = complete(artifacts);
    INFO(ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.err.find(words) != std::string::npos);
    CHECK(hermes.last_event() == before);
    CHECK(show()["task"]["status"] == "running");
    CHECK(copies() == 0);
  }
};

std::string text_of(const fs::path& path) { return read_file(path, 1 << 20).value_or("(none)"); }

}  // namespace

TEST_CASE("files that a completion names are kept when the scratch workspace goes",
          "[cli][artifacts]") {
  const Bench bench;
  bench.put("report.md", "all of it");
  const std::string deep = bench.put("sub/report.md", "more of it");
  fs::create_symlink("report.md", bench.scratch / "latest");
  const Ran ran = bench.complete(
      {"report.md", deep, "/elsewhere/plot.png", "report.md", "latest", "https://host/report.md"});
  const Json list = {(bench.kept / "report.md").string(), (bench.kept / "report (1).md").string(),
                     "/elsewhere/plot.png", "https://host/report.md"};
  CHECK(json_of(ran)["artifacts"] == list);
  CHECK(json_of(ran)["unverified"] == Json({"/elsewhere/plot.png", "https://host/report.md"}));
  REQUIRE(bench.hermes.kanban({"archive", bench.id}).status == 0);
  CHECK(!fs::exists(bench.scratch));
  CHECK(text_of(bench.kept / "report.md") == "all of it");
  CHECK(text_of(bench.kept / "report (1).md") == "more of it");

  const Json shown = bench.show();
  CHECK(shown["runs"][0]["metadata"] == Json({{"artifacts", list}, {"n", 1}}));
  REQUIRE(shown["attachments"].size() == 2);
  CHECK(shown["attachments"][0]["content_type"] == "text/markdown");
  CHECK(shown["attachments"][1]["size"] == 10);
  std::vector<std::string> kinds;
  Json completed;
  for (const Json& event : shown["events"]) {
    kinds.push_back(event["kind"]);
    completed = event["kind"] == "completed" ? event["payload"] : completed;
  }
  CHECK(kinds == std::vector<std::string>{"created", "claimed", "attached", "attached", "completed",
                                          "archived"});
  CHECK(completed["artifacts"] == list);
  CHECK(bench.hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("an artifact without a name is a mistake of the call", "[cli][artifacts]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  const Ran ran = hermes.kanban({"complete", id, "--artifact", ""});
  CHECK(ran.status == 2);
  CHECK(ran.err.find("an artifact is empty") != std::string::npos);
}

TEST_CASE("an artifact that is not to be had keeps the task in flight, and nothing is copied",
          "[cli][artifacts]") {
  const Bench bench;
  bench.put("a.txt", "a");
  bench.refuses({"a.txt", "lost.txt"}, "no such file");
  bench.refuses({"a.txt", "lost.txt"}, "complete it again");
  bench.refuses({"a.txt", "."}, "not a regular file");
}

TEST_CASE("no link leads an artifact out of its workspace", "[cli][artifacts]") {
  const Bench bench;
  bench.put("a.txt", "a");
  std::ofstream(bench.hermes.dir() / "secret") << "s";
  fs::create_symlink(bench.hermes.dir() / "secret", bench.scratch / "file");
  fs::create_directory_symlink(bench.hermes.dir(), bench.scratch / "dir");
  fs::create_symlink("/nowhere/at/all", bench.scratch / "dangling");
  bench.refuses({"a.txt", "file"}, "leads out of the workspace");
  bench.refuses({"a.txt", (bench.scratch / "dir" / "secret").string()}, "leads out");
  bench.refuses({"a.txt", "dangling"}, "cannot keep the artifact 'dangling'");
}

TEST_CASE("what is no file of at most 25 MiB is no artifact", "[cli][artifacts]") {
  const Bench bench;
  bench.put("a.txt", "a");
  fs::create_directory(bench.scratch / "dir");
  REQUIRE(::mkfifo((bench.scratch / "fifo").c_str(), 0600) == 0);
  bench.put("big", "");
  fs::resize_file(bench.scratch / "big", home::k_attachment_bytes + 1);
  bench.refuses({"a.txt", "dir"}, "not a regular file");
  bench.refuses({"a.txt", "fifo"}, "not a regular file");
  bench.refuses({"a.txt", "big"}, "25 MiB");
}

TEST_CASE("artifacts are a list of paths, or one path", "[cli][artifacts]") {
  const Bench bench;
  bench.put("a.txt", "a");
  for (const Json& bad : {Json(5), Json::object(), Json({"a.txt", 5}), Json({" "}), Json("")}) {
    bench.refuses(bad, "not a list of paths");
  }
  bench.refuses(std::vector<std::string>(101, "a.txt"), "the limit is 100");
  CHECK(bench.complete("a.txt").status == 0);
  CHECK(bench.show()["runs"][0]["metadata"]["artifacts"] ==
        Json({(bench.kept / "a.txt").string()}));
}

TEST_CASE("an --artifact counts from the caller's directory and joins what the metadata names",
          "[cli][artifacts]") {
  const Bench bench;
  bench.put("a.txt", "a");
  bench.put("sub/b.txt", "b");
  const Ran ran = bench.hermes.run_program(
      {"sh", "-c",
       fmt::format("cd '{}' && exec '{}' kanban complete {} --artifact b.txt --artifact "
                   "../../../board.toml --metadata '{}'",
                   (bench.scratch / "sub").string(), HERMES_BINARY, bench.id,
                   R"({"artifacts": "a.txt"})")});
  INFO(ran.err);
  CHECK(ran.status == 0);
  CHECK(ran.out == fmt::format("Completed {} (2 files kept)\n", bench.id));
  CHECK(ran.err.find("board.toml") != std::string::npos);
  CHECK(text_of(bench.kept / "a.txt") == "a");
  CHECK(text_of(bench.kept / "b.txt") == "b");
  CHECK(bench.show()["runs"][0]["metadata"]["artifacts"] ==
        Json({(bench.kept / "a.txt").string(), (bench.kept / "b.txt").string(),
              (bench.hermes.board() / "board.toml").string()}));
  const std::string other = bench.hermes.create({"x"});
  CHECK(bench.hermes.kanban({"complete", other, bench.id, "--artifact", "a"}).status == 2);
}

TEST_CASE("a worker that was replaced leaves no artifacts", "[cli][artifacts]") {
  Bench bench;
  bench.put("a.txt", "a");
  bench.hermes.set("HERMES_KANBAN_BOARD", "default");
  bench.hermes.set("HERMES_KANBAN_TASK", bench.id);
  bench.hermes.set("HERMES_KANBAN_RUN_ID", bench.claim["run_id"].dump());
  bench.hermes.set("HERMES_KANBAN_RUN_TOKEN", std::string(32, '0'));
  bench.refuses({"a.txt"}, "no longer yours");
  bench.hermes.set("HERMES_KANBAN_RUN_TOKEN", bench.claim["token"].get<std::string>());
  CHECK(bench.complete({"a.txt"}).status == 0);
  CHECK(bench.copies() == 1);
}

TEST_CASE("a completion that is killed after its copies leaves the task as it was",
          "[cli][artifacts]") {
  const Bench bench;
  bench.put("a.txt", "a");
  const Fd gate(::open((bench.hermes.board() / "board.lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(gate.get(), LOCK_EX) == 0);
  Running running = bench.hermes.start(
      {"kanban", "complete", bench.id, "--artifact", (bench.scratch / "a.txt").string()});
  REQUIRE(
      wait_until([&] { return text_of(bench.kept / "a.txt") == "a"; }, std::chrono::seconds{20}));
  running.signal(SIGKILL);
  running.wait();
  REQUIRE(::flock(gate.get(), LOCK_UN) == 0);
  CHECK(bench.show()["task"]["status"] == "running");
  CHECK(bench.show()["attachments"].empty());
  CHECK(bench.complete({"a.txt"}).status == 0);
  CHECK(bench.show()["attachments"][0]["filename"] == "a (1).txt");
  fs::last_write_time(bench.kept / "a.txt",
                      fs::file_time_type::clock::now() - std::chrono::hours{25});
  REQUIRE(bench.hermes.kanban({"gc"}).status == 0);
  CHECK(text_of(bench.kept / "a (1).txt") == "a");
  CHECK(bench.copies() == 1);
}

}  // namespace hermes::test
