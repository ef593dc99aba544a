#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"

// Ready-made texts of profile.toml. They lie in templates/<name>.toml, with what the agents among
// them are told in templates/prompt.txt, and are embedded when the program is built.
namespace hermes::home {

// In the order in which they are listed.
const std::vector<std::string_view>& template_names();

// The text of a profile.toml, ready to be used. Error: not_found, naming those there are.
Result<std::string> profile_template(std::string_view name);

// The variables that a worker's MCP server needs to be that worker: what agents must hand on.
const std::vector<std::string_view>& handed_on_variables();

// Of the files; generated.
namespace embedded {
std::string_view aider();
std::string_view claude_code();
std::string_view codex();
std::string_view gemini();
std::string_view hermes_agent();
std::string_view http();
std::string_view shell();
std::string_view prompt();
}  // namespace embedded

}  // namespace hermes::home
