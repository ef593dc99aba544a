#include <catch2/catch.hpp>

#include <filesystem>

#include "cli/run_hermes.hpp"

namespace hermes::test {

namespace fs = std::filesystem;

TEST_CASE("selftest plays histories, repeats one, and leaves nothing behind", "[cli]") {
  Hermes hermes;
  const fs::path temp = hermes.dir() / "temp";
  fs::create_directory(temp);
  hermes.set("TMPDIR", temp.string());
  const Ran ran = hermes.run({"selftest", "--seeds", "20", "--json"});
  CHECK(ran.status == 0);
  const auto told = nlohmann::json::parse(ran.out);
  CHECK(told["ok"] == true);
  CHECK(told["histories"] == 20);
  CHECK(told["steps"] == 20 * 150);
  const Ran one = hermes.run({"selftest", "--seed", "7"});
  CHECK(one.status == 0);
  CHECK(one.out.find("takes the board over") != std::string::npos);
  CHECK(one.out.find("1 history from seed 7 on, 150 steps: no rule was violated") !=
        std::string::npos);
  CHECK(hermes.run({"selftest", "--seed", "7"}).out == one.out);
  CHECK(hermes.run({"selftest", "--seed", "7", "--seeds", "2"}).status == 2);
  CHECK(hermes.run({"selftest", "--seeds", "0"}).status == 2);
  CHECK(fs::is_empty(temp));
}

}  // namespace hermes::test
