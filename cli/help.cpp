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

std::string global_rows(const verbs::Group& group) {
  return (group.takes_board
              ? row("--board NAME",
                    "the board that is meant (default: HERMES_KANBAN_BOARD, else the current one)")
              : "") +
         row("--json", "answer in JSON on standard output") + row("-h, --help", "this page");
}

// Verbs of a group, then the groups inside it.
std::string verb_rows(std::string_view group) {
  std::string out;
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.group == group && !verb.properties.hidden) {
      const std::string alias = verb.alias.empty() ? "" : fmt::format(" ({})", verb.alias);
      out += row(std::string(verb.name) + alias, std::string(verb.help));
    }
  }
  for (const verbs::Group& inner : verbs::all_groups()) {
    if (!group.empty() && inner.name.starts_with(std::string(group) + " ")) {
      out +=
          row(std::string(inner.name.substr(group.size() + 1)) + " ...", std::string(inner.help));
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
  return group.empty()
             ? "usage: hermes [kanban] VERB ...   (`hermes --help` lists the verbs)"
             : fmt::format("usage: hermes {0}{1} VERB ...   (`hermes {0} --help` lists the verbs)",
                           group, verbs::find_group(group)->takes_board ? " [--board NAME]" : "");
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
  return out + "\noptions:\n" + flags + global_rows(*verbs::find_group(verb.group));
}

std::string help_of(std::string_view name) {
  const verbs::Group& group = *verbs::find_group(name);
  if (!name.empty()) {
    const std::string alone =
        group.default_verb.empty()
            ? ""
            : fmt::format("Without a verb: `hermes {} {}`.\n", name, group.default_verb);
    return fmt::format("{}\n\n{}\n{}{}{}\nverbs:\n{}\noptions:\n{}", usage_of(name), group.help,
                       group.more, group.more.empty() ? "" : "\n", alone, verb_rows(name),
                       global_rows(group));
  }
  std::string out = "usage: hermes VERB ... | hermes GROUP VERB ...\n\n" + std::string(group.help) +
                    "\n\nverbs:\n" + verb_rows("");
  for (const verbs::Group& one : verbs::all_groups()) {
    if (!one.name.empty() && one.name.find(' ') == std::string_view::npos) {
      out += fmt::format("\nhermes {} VERB: {}\n{}", one.name, one.help, verb_rows(one.name));
    }
  }
  return out + "\noptions:\n" + global_rows(group) +
         row("--version", "the version of this program");
}

}  // namespace hermes::cli
