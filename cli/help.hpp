#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "verbs/verb.hpp"

// What the table of verbs says, in the words of the command line: for --help and for the manual.
namespace hermes::cli {

// "hermes kanban create"
std::string command_of(const verbs::Verb& verb);
// "hermes kanban create TITLE [options]"
std::string synopsis_of(const verbs::Verb& verb);
// "-v, --verbose", "--parent ID"
std::string flag_text(const verbs::Argument& argument);
// The phrase with its default.
std::string meaning_of(const verbs::Argument& argument);

// One line each, without a newline.
std::string usage_of(const verbs::Verb& verb);
std::string usage_of(std::string_view group);

// Whole pages; no line is longer than `columns` where it can be broken.
std::string help_of(const verbs::Verb& verb, std::size_t columns);
std::string help_of(std::string_view name, std::size_t columns);  // of a group; "": the program

}  // namespace hermes::cli
