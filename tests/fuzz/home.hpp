#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_dir.hpp"
#include "verbs/fake_host.hpp"

namespace hermes::fuzz {

// A home that every input finds as the first one did: the boards `default`, with a task in each of
// the usual states, and `other`; the profile `shell`; a planner that answers what the input says.
class ThrowAwayHome {
 public:
  ThrowAwayHome();

  // Everything as it was, the random numbers and the clock too.
  void renew();

  // One call as the command line would make it, down to what people are shown; nothing where it is
  // not carried out, because the words are no call or it could leave the home. What is answered
  // must be fit to be shown, what is refused must be told.
  // The word "%title" stands for the id of that task.
  std::optional<Result<verbs::Answer>> call(const std::vector<std::string>& words);

  // The invariants hold on every board.
  void require_sound() const;

  home::Home home() const { return home::Home{dir_ / "home"}; }
  // For files that calls may name: "@/name" in a word.
  std::filesystem::path files() const { return dir_ / "files"; }
  // Ids of the tasks of `default`, by their titles.
  const std::map<std::string, std::string>& ids() const { return ids_; }

  test::FakeHost host;
  verbs::Environment environment;
  std::string planner_answer;

 private:
  void start();
  void fill();
  std::string make(const std::vector<std::string>& words);

  test::TempDir dir_;
  SeededRandom random_{7};
  std::map<std::string, std::string> ids_;
};

}  // namespace hermes::fuzz
