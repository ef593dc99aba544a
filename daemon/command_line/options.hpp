#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::daemon {

// The command line of hermes-dispatcher.
struct Options {
  enum class Mode {
    serve,   // until SIGTERM or SIGINT
    once,    // one pass: finish, wake, expire, stop, start what can be started, then end
    finish,  // start nothing: stop what has a stop intent, finish what has ended, then end
    help,
    version,
  };
  Mode mode = Mode::serve;
  std::optional<Millis> interval;
  std::optional<std::int64_t> max_in_progress;
  std::optional<std::int64_t> failure_limit;
  std::optional<std::string> pidfile;
  bool verbose = false;
  bool json = false;     // with once: the report as JSON
  bool dry_run = false;  // with once: only say what the pass would do
};

// Error: usage.
Result<Options> parse_options(const std::vector<std::string>& arguments);

// One row of the table that parsing, --help and the manual read.
struct Flag {
  std::string_view name;         // with its dashes
  std::string_view value;        // what stands for the value in help; "": it takes none
  std::string_view help;         // one phrase
  std::string_view letter = {};  // "-v"
};
std::span<const Flag> all_flags();

struct ExitStatus {
  int status;
  std::string_view meaning;
};
std::span<const ExitStatus> exit_statuses();

// What the program is for: whole sentences.
std::string_view purpose();

// The page of --help, no line longer than `columns` where it can be broken.
std::string help_text(std::size_t columns);

}  // namespace hermes::daemon
