#include "daemon/options.hpp"

#include <fmt/core.h>

#include <charconv>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"

namespace hermes::daemon {

namespace {

Result<std::int64_t> positive(const std::string& flag, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < 1 ||
      value > 1'000'000) {
    return fail(ErrorCode::usage, fmt::format("{} is '{}'", flag, printable(text)),
                "use a number from 1 to 1000000");
  }
  return value;
}

Result<void> set_value(Options& options, const std::string& flag, const std::string& value) {
  if (flag == "--interval") {
    TRY_ASSIGN(options.interval, parse_duration(value));
    if (*options.interval < Millis{1000}) {
      return fail(ErrorCode::usage, fmt::format("--interval is '{}'", printable(value)),
                  "the shortest is 1s");
    }
  } else if (flag == "--max") {
    TRY_ASSIGN(options.max_in_progress, positive(flag, value));
  } else if (flag == "--failure-limit") {
    TRY_ASSIGN(options.failure_limit, positive(flag, value));
  } else {
    options.pidfile = value;
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string flag = arguments[i];
    std::optional<std::string> value;
    if (const auto equals = flag.find('='); flag.starts_with("--") && equals != std::string::npos) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    }
    if (flag == "--interval" || flag == "--max" || flag == "--failure-limit" ||
        flag == "--pidfile") {
      if (!value && i + 1 == arguments.size()) {
        return fail(ErrorCode::usage, flag + " needs a value", "see hermes-dispatcher --help");
      }
      TRY(set_value(options, flag, value ? *value : arguments[++i]));
    } else if (flag == "--once") {
      options.mode = Options::Mode::once;
    } else if (flag == "--finish") {
      options.mode = Options::Mode::finish;
    } else if (flag == "--verbose" || flag == "-v") {
      options.verbose = true;
    } else if (flag == "--json") {
      options.json = true;
    } else if (flag == "--help" || flag == "-h") {
      options.mode = Options::Mode::help;
    } else if (flag == "--version") {
      options.mode = Options::Mode::version;
    } else {
      return fail(ErrorCode::usage, fmt::format("unknown argument '{}'", printable(arguments[i])),
                  "see hermes-dispatcher --help");
    }
  }
  return options;
}

std::string help_text() {
  return "usage: hermes-dispatcher [flags]\n"
         "\n"
         "Starts a worker for every ready task of all boards of $HERMES_HOME (default ~/.hermes).\n"
         "It can be stopped or killed at any time: workers go on, and the next one takes over.\n"
         "\n"
         "  --interval TIME       safety net between two looks when nothing happens (default 60s)\n"
         "  --max N               live workers over all boards (default: max_in_progress of "
         "config.toml, 16)\n"
         "  --failure-limit N     failures in a row that block a task (default: config.toml, 5)\n"
         "  --pidfile PATH        write the PID there, removed at the end\n"
         "  -v, --verbose         say what each pass did\n"
         "  --once                one pass, then end; --json prints what it did as JSON\n"
         "  --finish              start nothing: stop and finish what was told to stop, then end\n"
         "  --version, --help\n"
         "\n"
         "Exit status: 0 ended in order, 1 failed, 2 usage, 3 another dispatcher serves this home, "
         "75 a board was\n"
         "migrated by a newer program, 78 config.toml cannot be read.\n";
}

}  // namespace hermes::daemon
