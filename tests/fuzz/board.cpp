#include "fuzz/board.hpp"

#include "fuzz/harness.hpp"
#include "kernel/board/invariants.hpp"

namespace hermes::fuzz {

namespace {

namespace fs = std::filesystem;

void require_same(const board::ImportReport& planned, const board::ImportReport& done) {
  require(planned.tasks == done.tasks && planned.links == done.links &&
              planned.comments == done.comments && planned.events == done.events &&
              planned.runs == done.runs &&
              planned.findings.skipped().size() == done.findings.skipped().size(),
          "an import does what its plan says");
}

}  // namespace

ThrowAwayBoard::ThrowAwayBoard() {
  require(home::create_board(home(), "default", now()).has_value(), "a board can be made");
  copy_tree(home().dir, dir_ / "template");
}

void ThrowAwayBoard::renew() {
  fs::remove_all(home().dir);
  fs::remove(source());
  copy_tree(dir_ / "template", home().dir);
}

db::Database ThrowAwayBoard::open(const std::string& slug, db::Database::Access access) const {
  auto database = db::Database::open(home::files_of(home().board(slug)), access, now());
  require_told(database);
  require(database.has_value(), "the board can be opened", slug);
  return *std::move(database);
}

void ThrowAwayBoard::require_imported(
    const std::function<Result<board::ImportedBoard>()>& read) const {
  const Limits limits;
  const Actor actor{"tester", std::nullopt};
  const std::string slug = "default";
  SeededRandom random{7};
  db::Database database = open(slug, db::Database::Access::write);
  const auto admitted = [&] {
    board::ImportedBoard imported = read().value();
    board::admit(imported);
    return imported;
  };
  const auto import = [&] {
    const auto done = database.write([&](db::Writer& tx) {
      board::Change change{tx, now(), actor, slug, limits, random};
      return board::carry_out(change, board::plan_import(tx, admitted(), now(), limits));
    });
    require_told(done);
    require(done.has_value(), "what was read and admitted can be imported");
    return *done;
  };
  const auto planned = database.read([&](db::Reader& tx) {
    return Result<board::ImportPlan>(board::plan_import(tx, admitted(), now(), limits));
  });
  const board::ImportReport first = import();
  require_same(planned.value().report, first);
  const board::ImportReport second = import();
  require(second.tasks == 0 && second.existing == first.tasks,
          "a second import brings nothing more");
  const auto broken = database.read(
      [](db::Reader& tx) { return Result<std::vector<std::string>>(board::check_invariants(tx)); });
  require(broken.has_value(), "the board can be read");
  require(broken->empty(), "the invariants hold", broken->empty() ? "" : broken->front());
}

}  // namespace hermes::fuzz
