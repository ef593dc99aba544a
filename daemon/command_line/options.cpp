#include "daemon/command_line/options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::daemon {

namespace {

constexpr std::size_t k_shown = 100;  // bytes of a value that is refused

constexpr Flag k_flags[] = {
    {"--interval", "TIME",
     "look again at the latest after this time, though nothing happened; at least 1s (default: "
     "interval of config.toml, 60s)"},
    {"--max", "N", "live workers over all boards (default: max_in_progress of config.toml, 16)"},
    {"--failure-limit", "N",
     "counted failures in a row that block a task (default: failure_limit of config.toml, 5)"},
    {"--pidfile", "PATH", "write the PID there, removed at the end"},
    {"--verbose", "", "say what each pass did", "-v"},
    {"--once", "",
     "one pass; it ends once each worker that it has started is seen alive or has ended"},
    {"--dry-run", "", "say what one pass would do, and do nothing; also beside a dispatcher"},
    {"--json", "", "with --once and --dry-run: print that as JSON"},
    {"--finish", "", "start nothing: stop and finish what was told to stop, then end"},
    {"--version", "", "the version of this program and of the SQLite it runs with"},
    {"--help", "", "this page", "-h"},
};

constexpr ExitStatus k_exit_statuses[] = {
    {0, "ended in order"},
    {1, "failed"},
    {2, "the command was malformed"},
    {3, "another dispatcher serves this home"},
    {75, "a newer program has migrated a board"},
    {78, "what no restart heals: config.toml cannot be read, there is no board, or no hermes-shim"},
};

constexpr std::size_t k_flag_column = 24;

Result<std::int64_t> number(const std::string& flag, const std::string& text, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < 1 || value > most) {
    return fail(ErrorCode::usage, fmt::format("{} is '{}'", flag, printable(clip(text, k_shown))),
                fmt::format("use a number from 1 to {}", most));
  }
  return value;
}

Result<void> set_value(Options& options, const std::string& flag, const std::string& value) {
  if (flag == "--interval") {
    TRY_ASSIGN(options.interval, parse_duration(value));
    if (*options.interval < Millis{1000}) {
      return fail(ErrorCode::usage,
                  fmt::format("--interval is '{}'", printable(clip(value, k_shown))),
                  "the shortest is 1s");
    }
  } else if (flag == "--max") {
    TRY_ASSIGN(options.max_in_progress, number(flag, value, k_most_workers));
  } else if (flag == "--failure-limit") {
    TRY_ASSIGN(options.failure_limit, number(flag, value, k_most_failures));
  } else {
    options.pidfile = value;
  }
  return {};
}

void set_flag(Options& options, const std::string& flag) {
  if (flag == "--once") {
    options.mode = Options::Mode::once;
  } else if (flag == "--dry-run") {
    options.mode = Options::Mode::once;
    options.dry_run = true;
  } else if (flag == "--finish") {
    options.mode = Options::Mode::finish;
  } else if (flag == "--verbose") {
    options.verbose = true;
  } else if (flag == "--json") {
    options.json = true;
  } else {
    options.mode = flag == "--help" ? Options::Mode::help : Options::Mode::version;
  }
}

}  // namespace

std::span<const Flag> all_flags() { return k_flags; }

std::span<const ExitStatus> exit_statuses() { return k_exit_statuses; }

std::string_view purpose() {
  return "Starts a worker for every ready task of all boards of HERMES_HOME (default ~/.hermes). "
         "It "
         "can be stopped or killed at any time: workers go on, and the next one takes over.";
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string given = arguments[i];
    std::optional<std::string> value;
    if (const auto equals = given.find('=');
        given.starts_with("--") && equals != std::string::npos) {
      value = given.substr(equals + 1);
      given.resize(equals);
    }
    const auto* row = std::ranges::find_if(k_flags, [&](const Flag& flag) {
      return flag.name == given || (!flag.letter.empty() && flag.letter == given);
    });
    if (row == std::end(k_flags)) {
      return fail(ErrorCode::usage,
                  fmt::format("unknown argument '{}'", printable(clip(arguments[i], k_shown))),
                  "see hermes-dispatcher --help");
    }
    const std::string flag(row->name);
    if (row->value.empty()) {
      if (value) {
        return fail(ErrorCode::usage,
                    fmt::format("{} takes no value, it was given '{}'", flag,
                                printable(clip(*value, k_shown))),
                    "see hermes-dispatcher --help");
      }
      set_flag(options, flag);
      continue;
    }
    if (!value && i + 1 == arguments.size()) {
      return fail(ErrorCode::usage, flag + " needs a value", "see hermes-dispatcher --help");
    }
    TRY(set_value(options, flag, value ? *value : arguments[++i]));
  }
  return options;
}

std::string help_text(std::size_t columns) {
  std::string out = "usage: hermes-dispatcher [flags]\n\n";
  out += join(wrap(purpose(), columns), "\n") + "\n\n";
  for (const Flag& flag : k_flags) {
    std::string left(flag.letter);
    left += (left.empty() ? "" : ", ") + std::string(flag.name);
    left += (flag.value.empty() ? "" : " ") + std::string(flag.value);
    out += help_row(left, flag.help, k_flag_column, columns);
  }
  out += "\nexit status:\n";
  for (const ExitStatus& one : k_exit_statuses) {
    out += help_row(std::to_string(one.status), one.meaning, 6, columns);
  }
  return out;
}

}  // namespace hermes::daemon
