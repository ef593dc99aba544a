#include "cli/help.hpp"

#include <fmt/core.h>

#include "cli/text.hpp"
#include "verbs/table.hpp"

namespace hermes::cli {

namespace {

using verbs::Argument;

constexpr std::size_t k_flag_column = 28;

std::string name_of(const verbs::Verb& verb) {
  return fmt::format("hermes {}{}{}", verb.group, verb.group.empty() ? "" : " ", verb.name);
}

std::string positional_usage(const Argument& argument) {
  const std::string name = fmt::format("{}{}", argument.value, argument.repeatable ? "..." : "");
  return argument.required ? name : "[" + name + "]";
}

std::string flag_text(const Argument& argument) {
  std::string text = argument.letter == 0 ? "" : fmt::format("-{}, ", argument.letter);
  text += fmt::format("--{}", argument.name);
  text += argument.type == verbs::Type::boolean ? "" : fmt::format(" {}", argument.value);
  return text;
}

std::string row(const std::string& left, const std::string& right) {
  if (left.size() + 4 > k_flag_column) {
    return fmt::format("  {}\n{}{}\n", left, std::string(k_flag_column, ' '), right);
  }
  return fmt::format("  {}{}\n", pad(left, k_flag_column - 2), right);
}

std::string help_text(const Argument& argument) {
  return argument.fallback.empty()
             ? std::string(argument.help)
             : fmt::format("{} (default: {})", argument.help, argument.fallback);
}

std::string global_rows() {
  return row("--board NAME",
             "the board that is meant (default: HERMES_KANBAN_BOARD, else the current one)") +
         row("--json", "answer in JSON on standard output") + row("-h, --help", "this page");
}

std::string verb_rows(std::string_view group) {
  std::string out;
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.group == group) {
      const std::string alias = verb.alias.empty() ? "" : fmt::format(" ({})", verb.alias);
      out += row(std::string(verb.name) + alias, std::string(verb.help));
    }
  }
  return out;
}

}  // namespace

std::string usage_of(const verbs::Verb& verb) {
  std::string line = "usage: " + name_of(verb);
  bool has_flags = false;
  for (const Argument& argument : verb.arguments) {
    if (argument.positional) {
      line += " " + positional_usage(argument);
    }
    has_flags = has_flags || !argument.positional;
  }
  return line + (has_flags ? " [options]" : "") + fmt::format("   (`{} --help`)", name_of(verb));
}

std::string usage_of(std::string_view group) {
  return group.empty() ? "usage: hermes [kanban] VERB ...   (`hermes --help` lists the verbs)"
                       : fmt::format(
                             "usage: hermes {0} [--board NAME] VERB ...   (`hermes {0} --help` "
                             "lists the verbs)",
                             group);
}

std::string help_of(const verbs::Verb& verb) {
  std::string out = usage_of(verb) + "\n\n" + std::string(verb.help) + "\n";
  out += verb.more.empty() ? "" : std::string(verb.more) + "\n";
  std::string positionals;
  std::string flags;
  for (const Argument& argument : verb.arguments) {
    (argument.positional ? positionals : flags) +=
        row(argument.positional ? std::string(argument.value) : flag_text(argument),
            help_text(argument));
  }
  out += positionals.empty() ? "" : "\narguments:\n" + positionals;
  return out + "\noptions:\n" + flags + global_rows();
}

std::string help_of(std::string_view group) {
  if (!group.empty()) {
    return fmt::format("usage: hermes {} [--board NAME] VERB ...\n\nverbs:\n{}\noptions:\n{}",
                       group, verb_rows(group), global_rows());
  }
  return fmt::format(
      "usage: hermes VERB ... | hermes kanban VERB ...\n\n"
      "A durable kanban board for work that runs as processes.\n\n"
      "verbs:\n{}\nverbs of the board (hermes kanban VERB):\n{}\noptions:\n{}{}",
      verb_rows(""), verb_rows("kanban"), global_rows(),
      row("--version", "the version of this program"));
}

}  // namespace hermes::cli
