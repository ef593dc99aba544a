#include "verbs/service.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <map>

#include "kernel/base/text.hpp"
#include "systemd/unit.hpp"

namespace hermes::verbs {

namespace {

// `start` returns when the dispatcher is ready, for which systemd gives it 90 s unless told
// otherwise.
constexpr Millis k_patience = std::chrono::seconds{120};
constexpr Millis k_look_patience = std::chrono::seconds{5};

std::map<std::string, std::string> properties_of(const std::string& output) {
  std::map<std::string, std::string> properties;
  for (const std::string& line : split_list(output, '\n')) {
    if (const auto equals = line.find('='); equals != std::string::npos) {
      properties[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return properties;
}

// The home of a unit that names none: that of the manager's own environment, else the default.
std::string home_of_manager(Call& call) {
  const auto shown =
      call.host.run_program({"systemctl", "--user", "show-environment"}, k_look_patience);
  auto variables = shown ? properties_of(shown->output) : std::map<std::string, std::string>{};
  const auto home = home::find_home(variables["HERMES_HOME"], call.environment.variable("HOME"));
  return home ? home->dir.string() : "";
}

}  // namespace

std::optional<std::string> variable_in(std::string_view environment, std::string_view name) {
  std::string word;
  char quote = 0;
  bool escaped = false;
  const auto value_of = [&]() -> std::optional<std::string> {
    return word.size() > name.size() && word.starts_with(name) && word[name.size()] == '='
               ? std::optional(word.substr(name.size() + 1))
               : std::nullopt;
  };
  for (const char c : environment) {
    if (escaped) {
      word += c;
      escaped = false;
    } else if (c == '\\' && quote != '\'') {
      escaped = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ' ') {
      if (const auto found = value_of()) {
        return found;
      }
      word.clear();
    } else {
      word += c;
    }
  }
  return value_of();
}

Service look_at_service(Call& call) {
  Service service;
  const auto shown = call.host.run_program(
      {"systemctl", "--user", "show", systemd::k_unit_name, "--property=LoadState",
       "--property=UnitFileState", "--property=ActiveState", "--property=SubState",
       "--property=Result", "--property=FragmentPath", "--property=StatusText",
       "--property=MainPID", "--property=Environment"},
      k_look_patience);
  if (!shown || shown->status != 0) {
    service.problem = shown ? std::string(trim(shown->output)) : shown.error().message;
    return service;
  }
  auto facts = properties_of(shown->output);
  service.manager = true;
  service.loaded = facts["LoadState"] == "loaded";
  service.enabled = facts["UnitFileState"] == "enabled";
  service.active = facts["ActiveState"] == "active" || facts["ActiveState"] == "reloading";
  service.up = facts["ActiveState"] != "inactive" && facts["ActiveState"] != "failed";
  const bool failed = facts["ActiveState"] == "failed";
  service.state =
      fmt::format("{} ({})", facts["ActiveState"], failed ? facts["Result"] : facts["SubState"]);
  service.fragment = facts["FragmentPath"];
  service.text = facts["StatusText"];
  const std::string& pid = facts["MainPID"];
  pid_t number = 0;
  std::from_chars(pid.data(), pid.data() + pid.size(), number);
  service.main_pid = number > 0 ? std::optional(number) : std::nullopt;
  const auto own = variable_in(facts["Environment"], "HERMES_HOME");
  service.home = own ? *own : home_of_manager(call);
  return service;
}

bool is_same_home(const std::string& one, const std::string& other) {
  const auto place = [](const std::string& text) {
    const auto home = home::find_home(text, "/");
    std::error_code ignored;
    return home ? fs::weakly_canonical(home->dir, ignored) : fs::path();
  };
  return !one.empty() && place(one) == place(other);
}

std::optional<bool> is_lingering(Call& call) {
  const auto shown = call.host.run_program(
      {"loginctl", "show-user", std::to_string(::getuid()), "--property=Linger", "--value"},
      k_look_patience);
  if (!shown || shown->status != 0) {
    return std::nullopt;
  }
  const std::string_view answer = trim(shown->output);
  return answer == "yes"  ? std::optional(true)
         : answer == "no" ? std::optional(false)
                          : std::nullopt;
}

Result<void> control_service(Call& call, std::string_view word) {
  std::vector<std::string> argv{"systemctl", "--user", std::string(word)};
  if (word != "daemon-reload") {
    argv.emplace_back(systemd::k_unit_name);
  }
  TRY_ASSIGN(const Host::ProgramEnd end, call.host.run_program(argv, k_patience));
  if (end.status == 0) {
    return {};
  }
  // What the dispatcher said of itself goes before systemd's words about it.
  const std::string own = look_at_service(call).text;
  return fail(ErrorCode::unavailable,
              fmt::format("`{}` ended with status {}: {}", join(argv, " "), end.status,
                          own.empty() ? printable(first_line(trim(end.output))) : own),
              fmt::format("its log: journalctl --user -u {} -n 20", systemd::k_unit_name));
}

}  // namespace hermes::verbs
