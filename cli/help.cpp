#include "cli/help.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "verbs/table.hpp"

namespace hermes::cli {

namespace {

using verbs::Argument;

constexpr std::size_t k_flag_column = 28;

std::string positional_usage(const Argument& argument) {
  const std::string name = fmt::format("{}{}", argument.value, argument.repeatable ? "..." : "");
  return argument.required ? name : "[" + name + "]";
}

std::string paragraph(std::string_view text, std::size_t columns) {
  return text.empty() ? "" : join(wrap(text, columns), "\n") + "\n";
}

std::string row(std::string_view left, std::string_view right, std::size_t columns) {
  return help_row(left, right, k_flag_column, columns);
}

template <class Of>
std::string flag_rows(const Of& of, std::size_t columns) {
  std::string out;
  for (const Argument& flag : verbs::flags_of(of)) {
    out += row(flag_text(flag), meaning_of(flag), columns);
  }
  return out;
}

// Verbs of a group, then the groups inside it.
std::string verb_rows(std::string_view group, std::size_t columns) {
  std::string out;
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.group == group && !verb.properties.hidden) {
      const std::string alias = verb.alias.empty() ? "" : fmt::format(" ({})", verb.alias);
      out += row(std::string(verb.name) + alias, verb.help, columns);
    }
  }
  for (const verbs::Group& inner : verbs::all_groups()) {
    if (!group.empty() && inner.name.starts_with(std::string(group) + " ")) {
      out += row(std::string(inner.name.substr(group.size() + 1)) + " ...", inner.help, columns);
    }
  }
  return out;
}

std::string program_help(const verbs::Group& program, std::size_t columns) {
  std::string out = "usage: hermes VERB ... | hermes GROUP VERB ...\n\n" +
                    paragraph(program.help, columns) + "\nverbs:\n" + verb_rows("", columns);
  for (const verbs::Group& one : verbs::all_groups()) {
    if (!one.name.empty() && one.name.find(' ') == std::string_view::npos) {
      out +=
          fmt::format("\nhermes {} VERB: {}\n{}", one.name, one.help, verb_rows(one.name, columns));
    }
  }
  return out + "\noptions:\n" + flag_rows(program, columns);
}

}  // namespace

std::string command_of(const verbs::Verb& verb) {
  return fmt::format("hermes {}{}{}", verb.group, verb.group.empty() ? "" : " ", verb.name);
}

std::string synopsis_of(const verbs::Verb& verb) {
  std::string line = command_of(verb);
  bool has_flags = false;
  for (const Argument& argument : verb.arguments) {
    if (argument.positional) {
      line += " " + positional_usage(argument);
    }
    has_flags = has_flags || !argument.positional;
  }
  if (verb.properties.takes_board) {
    line += " [--board NAME]";
  }
  return line + (has_flags ? " [options]" : "");
}

std::string flag_text(const Argument& argument) {
  std::string text = argument.letter == 0 ? "" : fmt::format("-{}, ", argument.letter);
  text += fmt::format("--{}", argument.name);
  text += argument.alias.empty() ? "" : fmt::format(", --{}", argument.alias);
  text += argument.type == verbs::Type::boolean ? "" : fmt::format(" {}", argument.value);
  return text;
}

std::string meaning_of(const Argument& argument) {
  return argument.fallback.empty()
             ? std::string(argument.help)
             : fmt::format("{} (default: {})", argument.help, argument.fallback);
}

std::string usage_of(const verbs::Verb& verb) {
  return fmt::format("usage: {}   (`{} --help`)", synopsis_of(verb), command_of(verb));
}

std::string usage_of(std::string_view group) {
  return group.empty()
             ? "usage: hermes [kanban] VERB ...   (`hermes --help` lists the verbs)"
             : fmt::format("usage: hermes {0}{1} VERB ...   (`hermes {0} --help` lists the verbs)",
                           group, verbs::find_group(group)->takes_board ? " [--board NAME]" : "");
}

std::string help_of(const verbs::Verb& verb, std::size_t columns) {
  std::string out = "usage: " + synopsis_of(verb) + "\n\n" + paragraph(verb.help, columns) +
                    paragraph(verbs::more_of(verb), columns);
  std::string positionals;
  for (const Argument& argument : verb.arguments) {
    if (argument.positional) {
      positionals += row(argument.value, meaning_of(argument), columns);
    }
  }
  out += positionals.empty() ? "" : "\narguments:\n" + positionals;
  return out + "\noptions:\n" + flag_rows(verb, columns);
}

std::string help_of(std::string_view name, std::size_t columns) {
  const verbs::Group& group = *verbs::find_group(name);
  if (name.empty()) {
    return program_help(group, columns);
  }
  const std::string alone =
      group.default_verb.empty()
          ? ""
          : fmt::format("Without a verb: `hermes {} {}`.\n", name, group.default_verb);
  return fmt::format("usage: hermes {}{} VERB ...\n\n{}{}{}\nverbs:\n{}\noptions:\n{}", name,
                     group.takes_board ? " [--board NAME]" : "", paragraph(group.help, columns),
                     paragraph(group.more, columns), alone, verb_rows(name, columns),
                     flag_rows(group, columns));
}

}  // namespace hermes::cli
