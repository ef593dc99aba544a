#pragma once

#include <string>
#include <string_view>

#include "verbs/verb.hpp"

namespace hermes::cli {

// One line each, without a newline.
std::string usage_of(const verbs::Verb& verb);
std::string usage_of(std::string_view group);

// Whole pages.
std::string help_of(const verbs::Verb& verb);
std::string help_of(std::string_view group);  // "": the program

}  // namespace hermes::cli
