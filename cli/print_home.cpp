#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"

namespace hermes::cli {

std::string print_init(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  std::string profiles;
  for (const Json& name : value["profiles"]) {
    profiles += (profiles.empty() ? "" : ", ") + shown(name);
  }
  std::string out = fmt::format("Board: {}{}\n", shown(value["database"]),
                                value["created"] == true ? "" : " (was there)");
  out += profiles.empty() ? "Profiles: none yet\n"
                          : fmt::format("Profiles (each can be an assignee): {}\n", profiles);
  out += "Start the dispatcher: hermes dispatcher start\n";
  out += "Then try: hermes kanban create \"Say hello\" --assignee shell --body 'echo hello'\n";
  return out;
}

std::string print_version(const verbs::Answer& answer, const Style&) {
  return fmt::format("hermes {} (SQLite {})\n", shown(answer.value["version"]),
                     shown(answer.value["sqlite"]));
}

std::string print_selftest(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  std::string out;
  for (const Json& line : value.value("trace", Json::array())) {
    out += shown(line) + "\n";
  }
  for (const Json& violation : value.value("violations", Json::array())) {
    out += fmt::format("VIOLATED in seed {}: {}\n", value["seed"].get<std::int64_t>(),
                       shown(violation));
  }
  const auto histories = value["histories"].get<std::int64_t>();
  return out + fmt::format("{} {} from seed {} on, {} steps: {}\n", histories,
                           histories == 1 ? "history" : "histories",
                           value["first"].get<std::int64_t>(), value["steps"].get<std::int64_t>(),
                           value["ok"] == true ? "no rule was violated" : "a rule was violated");
}

std::string print_doctor(const verbs::Answer& answer, const Style&) {
  std::string out;
  for (const Json& check : answer.value["checks"]) {
    const std::string finding = shown(check["finding"]);
    out += fmt::format("{} {} {}: {}\n", pad(finding == "wrong" ? "WRONG" : finding, 5),
                       pad(shown(check["check"]), 10), shown(check["subject"]),
                       shown(check["detail"]));
    if (finding != "ok" && !check["hint"].get_ref<const std::string&>().empty()) {
      out += fmt::format("        → {}\n", shown(check["hint"]));
    }
  }
  return out + (answer.value["ok"] == true ? "nothing is wrong\n" : "something is wrong\n");
}

}  // namespace hermes::cli
