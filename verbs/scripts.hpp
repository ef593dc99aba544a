#pragma once

#include <string_view>

// The completion scripts, as they lie in verbs/completion/.
namespace hermes::verbs {

std::string_view bash_completion();
std::string_view zsh_completion();
std::string_view fish_completion();

}  // namespace hermes::verbs
