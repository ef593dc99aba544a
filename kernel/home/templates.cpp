#include "kernel/home/templates.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

struct Template {
  std::string_view name;
  std::string_view (*text)();
};
constexpr std::array<Template, 7> k_templates = {{{"shell", embedded::shell},
                                                  {"claude-code", embedded::claude_code},
                                                  {"codex", embedded::codex},
                                                  {"gemini", embedded::gemini},
                                                  {"hermes-agent", embedded::hermes_agent},
                                                  {"aider", embedded::aider},
                                                  {"http", embedded::http}}};

std::string replace_all(std::string_view text, std::string_view word, std::string_view by) {
  std::string out;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word)) {
    out.append(text.substr(0, at)).append(by);
    text.remove_prefix(at + word.size());
  }
  return out.append(text);
}

// One for each handed-on variable; "{}" stands for its name.
std::string for_each_variable(std::string_view form, std::string_view separator) {
  std::vector<std::string> parts;
  for (const std::string_view name : handed_on_variables()) {
    parts.push_back(replace_all(form, "{}", name));
  }
  return join(parts, separator);
}

}  // namespace

const std::vector<std::string_view>& template_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Template& one : k_templates) {
      all.push_back(one.name);
    }
    return all;
  }();
  return names;
}

const std::vector<std::string_view>& handed_on_variables() {
  static const std::vector<std::string_view> names = {
      "HERMES_HOME",          "HERMES_KANBAN_BOARD",      "HERMES_KANBAN_TASK",
      "HERMES_KANBAN_RUN_ID", "HERMES_KANBAN_RUN_TOKEN",  "HERMES_KANBAN_WORKSPACE",
      "HERMES_KANBAN_BRANCH", "HERMES_KANBAN_GOAL_JUDGE", "HERMES_PROFILE",
      "HERMES_TENANT"};
  return names;
}

Result<std::string> profile_template(std::string_view name) {
  const auto found = std::ranges::find(k_templates, name, &Template::name);
  if (found == k_templates.end()) {
    const std::vector<std::string> names(template_names().begin(), template_names().end());
    return fail(
        ErrorCode::not_found,
        fmt::format("no template '{}'{}", printable(clip(name, 100)), did_you_mean(name, names)),
        fmt::format("the templates are {}", join(names, ", ")));
  }
  std::string text = replace_all(found->text(), "@PROMPT@", embedded::prompt());
  text = replace_all(text, "@ENV:json@", for_each_variable(R"("{}": "${{}:-}")", ", "));
  text = replace_all(text, "@ENV:names@", for_each_variable(R"("{}")", ", "));
  return replace_all(text, "@ENV:flags@", for_each_variable("-e '{}=${{}}'", " "));
}

}  // namespace hermes::home
