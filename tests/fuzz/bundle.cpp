// Files for `boards import` and `restore`: an exported board with anything done to it, see
// database_input.hpp. A new board appears whole or not at all, and the present one stays.
#include <algorithm>
#include <filesystem>

#include "fuzz/board.hpp"
#include "fuzz/database_input.hpp"
#include "fuzz/harness.hpp"
#include "kernel/base/files.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/board/stats.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/attachments.hpp"
#include "kernel/home/bundle.hpp"

using namespace hermes;
using fuzz::require;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_tasks = R"({"id": "a", "title": "done", "status": "done"}
{"id": "b", "title": "open", "dependencies": ["a"], "comments": [{"author": "x", "text": "y"}]}
{"id": "c", "title": "waits", "dependencies": ["b"], "assignee": "shell"}
)";

// A board with an attached file and a log, exported.
void make_export(fuzz::ThrowAwayBoard& ground, const fs::path& base) {
  ground.require_imported([&] { return board::read_json_lines(k_tasks, ground.now()); });
  db::Database database = ground.open("default", db::Database::Access::write);
  const Limits limits;
  const Actor actor{"tester", std::nullopt};
  const std::string slug = "default";
  SeededRandom random{9};
  const std::string task =
      database.read([](db::Reader& tx) { return board::list_tasks(tx, {}); }).value().at(0).id;
  auto file = home::store_attachment(ground.paths(), task, "file.txt", "text\n");
  const auto added = database.write([&](db::Writer& tx) {
    board::Change change{tx, ground.now(), actor, slug, limits, random};
    return board::add_attachment(change, {task, file.value().name, "text/plain", 5, ""});
  });
  file->file.keep();
  require(added && write_file_atomically(ground.paths().log(task, 1), "log\n"),
          "the board can be filled");
  require(
      home::export_board(ground.home(), ground.paths(), database, base, true, false).has_value(),
      "the board can be exported");
  ground.renew();
}

std::vector<std::string> names_in(const fs::path& dir) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// Whatever was let in can be looked at and carried away again, or it is told why not.
void look_at(const fuzz::ThrowAwayBoard& ground, const std::string& slug) {
  db::Database database = ground.open(slug, db::Database::Access::write);
  fuzz::require_told(database.read([](db::Reader& tx) -> Result<void> {
    board::check_invariants(tx);
    board::stats(tx);
    board::all_attachments(tx);
    TRY(board::list_tasks(tx, {.archived = true}));
    return {};
  }));
  fuzz::require_told(home::export_board(ground.home(), ground.home().board(slug), database,
                                        ground.source().parent_path() / "again", true, true));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::ThrowAwayBoard ground;
  static const test::TempDir dir;
  static const bool made = (make_export(ground, dir / "base"), true);
  require(made, "there is a base");
  ground.renew();
  fuzz::make_database(dir / "base", ground.source(), fuzz::text_of(data, size));
  const auto prepare = [](db::Database&) -> Result<void> { return {}; };
  const auto before = names_in(ground.home().boards());
  const auto imported =
      home::import_board(ground.home(), ground.source(), "new", ground.now(), prepare);
  fuzz::require_told(imported);
  const auto after = names_in(ground.home().boards());
  require(after.size() == before.size() + (imported ? 1 : 0),
          "a board appears whole or leaves nothing");
  if (imported) {
    look_at(ground, "new");
  }
  const auto restored = home::restore_board(
      ground.home(), ground.paths(), ground.source(), ground.now(), Millis{1000},
      []() -> Result<void> { return {}; }, prepare);
  fuzz::require_told(restored);
  look_at(ground, "default");
  return 0;
}
