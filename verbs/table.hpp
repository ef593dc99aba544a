#pragma once

#include <string>
#include <vector>

#include "verbs/verb.hpp"

namespace hermes::verbs {

// All verbs, in the order of the help.
std::span<const Verb> all_verbs();

// All groups, the program itself first.
std::span<const Group> all_groups();

// Null when there is none.
const Group* find_group(std::string_view name);

// By name or alias; null when there is none.
const Verb* find_verb(std::string_view group, std::string_view name);

// What its page says after the one line of help: its own sentences and those of its properties.
std::string more_of(const Verb& verb);

// Whether --board has a meaning for it.
bool takes_board(const Verb& verb);

const Argument* find_argument(const Verb& verb, std::string_view name);

// The flags that a line of the command line may carry: those of the verb, then those that every
// verb of its group takes.
std::vector<Argument> flags_of(const Verb& verb);
std::vector<Argument> flags_of(const Group& group);

}  // namespace hermes::verbs
