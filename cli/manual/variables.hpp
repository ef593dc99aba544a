#pragma once

#include <span>
#include <string_view>

namespace hermes::manual {

// A variable of the environment that one of our programs reads or sets.
struct Variable {
  std::string_view name;
  enum class Of { all, command, worker } of;  // worker: what a worker finds, and its commands read
  std::string_view help;
};

std::span<const Variable> all_variables();

}  // namespace hermes::manual
