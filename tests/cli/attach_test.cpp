#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"
#include "kernel/home/attachments.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;

std::string write(const Hermes& hermes, const std::string& name, const std::string& text) {
  const auto path = hermes.dir() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

std::string text_of(const std::filesystem::path& path) {
  return read_file(path, 100 << 20).value_or("(none)");
}

std::size_t files_in(const std::filesystem::path& dir) {
  std::size_t files = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir, ignored)) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  return files;
}

}  // namespace

TEST_CASE("a link in the place of a task's attachments is not followed when they are removed",
          "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t"});
  const auto file = hermes.dir() / "notes.txt";
  std::ofstream(file) << "x";
  REQUIRE(hermes.kanban({"attach", id, file.string()}).status == 0);
  const auto kept = hermes.board() / "attachments" / id;
  const auto elsewhere = hermes.dir() / "elsewhere";
  std::filesystem::rename(kept, elsewhere);
  std::filesystem::create_directory_symlink(elsewhere, kept);
  (void)hermes.kanban({"attach-rm", "1"});
  CHECK(std::filesystem::exists(elsewhere / "notes.txt"));
  REQUIRE(hermes.kanban({"archive", id}).status == 0);
  (void)hermes.kanban({"archive", "--rm", id});
  CHECK(std::filesystem::exists(elsewhere / "notes.txt"));
}

TEST_CASE("a file is kept with its task, shown, and removed", "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"with files"});
  const std::string path = write(hermes, "report.md", "# all of it\n");
  CHECK(hermes.kanban({"attach", id, path}).out ==
        "Attached report.md to " + id + " (#1, 12 bytes)\n");
  std::filesystem::remove(path);  // a copy was kept
  const Json all = json_of(hermes.kanban({"attachments", id, "--json"}));
  REQUIRE(all.size() == 1);
  const Json& one = all[0];
  CHECK(one["id"] == 1);
  CHECK(one["filename"] == "report.md");
  CHECK(one["content_type"] == "text/markdown");
  CHECK(one["size"] == 12);
  CHECK(one["uploaded_by"] == "tester");
  CHECK(one["created_at"].is_number_integer());
  CHECK(one["missing"] == false);
  const std::filesystem::path stored = one["stored_path"].get<std::string>();
  CHECK(stored == hermes.board() / "attachments" / id / "report.md");
  CHECK(text_of(stored) == "# all of it\n");
  struct stat facts {};
  REQUIRE(::stat(stored.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);

  CHECK(json_of(hermes.kanban({"show", id, "--json"}))["attachments"] == all);
  CHECK(hermes.kanban({"show", id}).out.find("Attachments (1):\n  #1  report.md") !=
        std::string::npos);
  CHECK(hermes.kanban({"context", id})
            .out.find("- report.md (text/markdown, 1 KB): " + stored.string()) !=
        std::string::npos);
  CHECK(hermes.kanban({"attachments", id}).out.find("report.md") != std::string::npos);

  CHECK(hermes.kanban({"attach-rm", "1"}).status == 0);
  CHECK(!std::filesystem::exists(stored));
  CHECK(hermes.kanban({"attachments", id}).out == "(no attachments of " + id + ")\n");
  CHECK(hermes.kanban({"attach-rm", "1"}).status == 1);
  CHECK(hermes.kanban({"attach-rm", "0"}).status == 2);
  const Json events = json_of(hermes.kanban({"show", id, "--json"}))["events"];
  CHECK(events[1]["kind"] == "attached");
  CHECK(events[1]["payload"] == Json({{"filename", "report.md"}, {"size", 12}, {"by", "tester"}}));
  CHECK(events[2]["kind"] == "attachment_removed");
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("standard input, a name, a type and an author can be given", "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  const std::string bytes("a\0b\xff\n", 5);
  const Json one = json_of(hermes.kanban({"attach", id, "-", "--name", "in.bin", "--content-type",
                                          "application/x-thing", "--author", "ann", "--json"},
                                         bytes));
  CHECK(one["filename"] == "in.bin");
  CHECK(one["content_type"] == "application/x-thing");
  CHECK(one["uploaded_by"] == "ann");
  CHECK(text_of(one["stored_path"].get<std::string>()) == bytes);
  CHECK(json_of(hermes.kanban({"attach", id, "-", "--json"}, "x"))["filename"] == "attachment");
  CHECK(hermes.kanban({"attach", id, "-", "--content-type", "text"}, "x").status == 1);
  CHECK(files_in(hermes.board() / "attachments") == 2);
}

TEST_CASE("names are made harmless", "[attach]") {
  using home::attachment_name;
  CHECK(attachment_name("../../etc/passwd") == "passwd");
  CHECK(attachment_name("C:\\dir\\a b.txt") == "a b.txt");
  CHECK(attachment_name("..") == "attachment");
  CHECK(attachment_name("a/..") == "attachment");
  CHECK(attachment_name("...-- .bashrc") == "bashrc");
  CHECK(attachment_name("--rf") == "rf");
  CHECK(attachment_name("a:b*c?d\n.txt") == "a_b_c_d_.txt");
  CHECK(attachment_name("x (1) [2].tar.gz") == "x (1) [2].tar.gz");
  CHECK(attachment_name("漢字é.md") == "漢字é.md");
  CHECK(attachment_name("a\xff\xfe.md") == "a__.md");
  CHECK(attachment_name("a\u202E.md").find("\u202E") == std::string::npos);
  const std::string longest = attachment_name(std::string(3000, 'x') + ".pdf");
  CHECK(longest.size() == 200);
  CHECK(longest.ends_with(".pdf"));
  for (const std::string given :
       {"../../etc/passwd", "--rf", "漢字é.md", "a\xff\xfe.md", "", ". ."}) {
    const std::string name = attachment_name(given);
    CHECK(home::is_attachment_name(name));
    CHECK(attachment_name(name) == name);
  }
  for (const std::string bad : {"", ".", "..", "a/b", "a\\b", ".x", "-x", "a\nb"}) {
    CHECK_FALSE(home::is_attachment_name(bad));
  }
}

TEST_CASE("a stored name is known for the one that was wanted", "[attach]") {
  using home::is_stored_name_of;
  for (const std::string stored : {"a.tar.gz", "a.tar (1).gz", "a.tar (23).gz"}) {
    CHECK(is_stored_name_of("a.tar.gz", stored));
  }
  for (const std::string other : {"a.tar ().gz", "a.tar (x).gz", "a.tar (1)", "b.tar (1).gz", "",
                                  "a.tar.gz (1)", "a.tar (1.gz"}) {
    INFO(other);
    CHECK_FALSE(is_stored_name_of("a.tar.gz", other));
  }
}

TEST_CASE("files of the same name stand beside each other", "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    names.push_back(json_of(hermes.kanban({"attach", id, "-", "--name", "a.tar.gz", "--json"},
                                          std::to_string(i)))["filename"]);
  }
  CHECK(names == std::vector<std::string>{"a.tar.gz", "a.tar (1).gz", "a.tar (2).gz"});
  CHECK(text_of(hermes.board() / "attachments" / id / "a.tar (2).gz") == "2");
  const std::string longest(300, 'n');
  CHECK(hermes.kanban({"attach", id, "-", "--name", longest}, "x").status == 0);
  CHECK(hermes.kanban({"attach", id, "-", "--name", longest}, "x").status == 0);
}

TEST_CASE("25 MiB are kept, a byte more is refused and leaves nothing", "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  const std::string path = write(hermes, "big", "");
  std::filesystem::resize_file(path, home::k_attachment_bytes + 1);
  const Ran refused = hermes.kanban({"attach", id, path});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("25 MiB") != std::string::npos);
  CHECK(files_in(hermes.board() / "attachments") == 0);
  CHECK(json_of(hermes.kanban({"attachments", id, "--json"})).empty());
  std::filesystem::resize_file(path, home::k_attachment_bytes);
  CHECK(json_of(hermes.kanban({"attach", id, path, "--json"}))["size"] == home::k_attachment_bytes);
}

TEST_CASE("what is no file is refused without waiting for it", "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  const std::string fifo = (hermes.dir() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const std::string& path :
       {fifo, hermes.dir().string(), std::string("/dev/zero"), (hermes.dir() / "lost").string()}) {
    const Ran ran = hermes.kanban({"attach", id, path});
    CHECK(ran.status == 1);
    CHECK(ran.err.find(path) != std::string::npos);
  }
  CHECK(hermes.kanban({"attach", "t_00000000", fifo}).status == 1);
  CHECK(files_in(hermes.board()) == files_in(hermes.board()));
  CHECK(!std::filesystem::exists(hermes.board() / "attachments" / id));
}

TEST_CASE("a worker attaches to its own task while it is its run", "[cli][attach]") {
  Hermes hermes;
  const std::string own = hermes.create({"own"});
  const std::string other = hermes.create({"other"});
  REQUIRE(hermes.kanban({"attach", other, "-", "--name", "a"}, "x").status == 0);
  const Json claim = json_of(hermes.kanban({"claim", own, "--json"}));
  hermes.set("HERMES_KANBAN_BOARD", "default");
  hermes.set("HERMES_KANBAN_TASK", own);
  hermes.set("HERMES_KANBAN_RUN_ID", claim["run_id"].dump());
  hermes.set("HERMES_KANBAN_RUN_TOKEN", claim["token"].get<std::string>());
  CHECK(hermes.kanban({"attach", own, "-"}, "x").status == 0);
  CHECK(hermes.kanban({"attach", other, "-"}, "x").status == 1);
  CHECK(hermes.kanban({"attach-rm", "1"}).status == 1);
  CHECK(hermes.kanban({"attachments", other}).status == 0);
  hermes.set("HERMES_KANBAN_RUN_TOKEN", std::string(32, '0'));
  CHECK(hermes.kanban({"attach", own, "-"}, "x").status == 1);
  CHECK(files_in(hermes.board() / "attachments") == 2);
}

TEST_CASE("the files of a deleted task are removed, and nothing beside them", "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  const std::string other = hermes.create({"y"});
  for (const std::string& task : {id, id, other}) {
    REQUIRE(hermes.kanban({"attach", task, "-"}, "x").status == 0);
  }
  const home::BoardPaths board = home::Home{hermes.home()}.board("default");
  std::filesystem::create_symlink(hermes.dir() / "user", board.attachments() / "t_00000001");
  write(hermes, "user/precious", "x");
  CHECK(home::remove_attachments(board, id) == 2);
  CHECK(!std::filesystem::exists(board.attachments_of(id)));
  CHECK(home::remove_attachments(board, "../" + other) == 0);
  CHECK(files_in(board.attachments()) == 1);
}

}  // namespace hermes::test
