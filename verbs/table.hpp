#pragma once

#include "verbs/verb.hpp"

namespace hermes::verbs {

// All verbs, in the order of the help.
std::span<const Verb> all_verbs();

// By name or alias; null when there is none.
const Verb* find_verb(std::string_view group, std::string_view name);

const Argument* find_argument(const Verb& verb, std::string_view name);

}  // namespace hermes::verbs
