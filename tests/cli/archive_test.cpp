#include <catch2/catch.hpp>

#include <filesystem>

#include "cli/run_hermes.hpp"

namespace hermes::test {

TEST_CASE("archiving a task removes its scratch workspace", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  const auto workspace = hermes.board() / "workspaces" / id;
  REQUIRE(std::filesystem::is_directory(workspace));
  REQUIRE(hermes.kanban({"complete", id}).status == 0);
  CHECK(std::filesystem::is_directory(workspace));
  CHECK(hermes.kanban({"archive", id}).status == 0);
  CHECK_FALSE(std::filesystem::exists(workspace));
}

}  // namespace hermes::test
