#include "cli/help.hpp"
#include "cli/print.hpp"
#include "cli/text.hpp"
#include "verbs/table.hpp"

namespace hermes::cli {

std::string print_help(const verbs::Answer& answer, const Style& style) {
  const std::string group = answer.value["group"].get<std::string>();
  const Json& verb = answer.value["verb"];
  return verb.is_null()
             ? help_of(group, style.help_columns)
             : help_of(*verbs::find_verb(group, verb.get<std::string>()), style.help_columns);
}

// The first line tells the shell's script what the rest is: ":files" (it completes paths by itself)
// or ":words", then one candidate per line, a tab between the word and its description.
std::string print_candidates(const verbs::Answer& answer, const Style&) {
  std::string out = answer.value["files"] == true ? ":files\n" : ":words\n";
  for (const Json& one : answer.value["candidates"]) {
    out += one["value"].get<std::string>() + "\t" + one["description"].get<std::string>() + "\n";
  }
  return out;
}

}  // namespace hermes::cli
