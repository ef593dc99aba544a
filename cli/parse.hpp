#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verbs/values.hpp"

namespace hermes::cli {

// What a command line asks for. Without a verb it asks for help on `group`.
struct Request {
  std::string_view group;
  const verbs::Verb* verb = nullptr;
  verbs::Values values;
  std::optional<std::string> board;
  bool json = false;
  bool help = false;
  bool version = false;
};

// A command line that cannot be understood: the reason, and the usage line that belongs to it. Exit
// status 2.
struct Misuse {
  std::string reason;
  std::string usage;
};

// Finds the verb first, then builds the parser of that verb alone. --board, --json, --help and
// --version may stand anywhere. Values are not judged here (verbs::check).
std::expected<Request, Misuse> parse(const std::vector<std::string>& words);

}  // namespace hermes::cli
