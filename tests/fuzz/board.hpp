#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "kernel/base/random.hpp"
#include "kernel/board/import.hpp"
#include "kernel/home/registry.hpp"
#include "support/temp_dir.hpp"

namespace hermes::fuzz {

// A home with the board `default` that every input finds as the first one did.
class ThrowAwayBoard {
 public:
  ThrowAwayBoard();

  void renew();

  home::Home home() const { return home::Home{dir_ / "home"}; }
  home::BoardPaths paths() const { return home().board("default"); }
  // Where an input is written as a file; nothing is there.
  std::filesystem::path source() const { return dir_ / "source"; }
  Instant now() const { return {1'700'000'000'000}; }
  db::Database open(const std::string& slug, db::Database::Access access) const;

  // Brings over what was read: a plan tells what is then done, a second time brings nothing more,
  // and the invariants hold. `read` reads the same again.
  void require_imported(const std::function<Result<board::ImportedBoard>()>& read) const;

 private:
  test::TempDir dir_;
};

}  // namespace hermes::fuzz
