#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/base/error.hpp"

namespace hermes::verbs {

struct Answer;
struct Call;

// What a value is. Every reader of the table hands values over as text; `check` (values.hpp) is the
// one place that judges them.
enum class Type {
  text,
  task_id,      // a whole id or a unique beginning of one
  integer,      // between `least` and `most`
  duration,     // "90", "30s", "1.5h"; `least` in milliseconds
  time,         // RFC 3339, "2026-11-20 18:40" local, or seconds since the epoch
  word,         // one of `words`
  boolean,      // a flag without a value
  json_object,  // text of a JSON object; blank counts as not given
  board,        // a board's name
  profile,      // a profile's name
  assignee,     // a profile's name, or any other lane; "none", "-" and "null" mean nobody
  path,         // of a file or directory
};

// How an argument appears in the tool that agents are given for its verb (MCP). Without a name it
// is none of that tool. Type, words and range are those of the argument.
struct Parameter {
  std::string_view name = {};
  bool required = false;  // although people may leave it out
  bool own_task = false;  // inside a worker it may be left out: the worker's task
  bool content = false;   // base64 of what the verb reads from standard input
  std::optional<std::int64_t> most = {};
  std::string_view fallback = {};  // what the tool passes on when nothing is given
  std::string_view help = {};      // instead of the argument's, which is about the command line
};

// One argument of a verb. A positional is named like any other; readers that have no positions
// (MCP, REST) use the name alone.
struct Argument {
  std::string_view name;
  Type type = Type::text;
  std::string_view value = {};  // what stands for the value in help: "TEXT", "DURATION"
  std::string_view help =
      {};  // one phrase, with the range and the default; it is the hint when a value is refused
  bool positional = false;
  bool required = false;
  bool repeatable = false;  // a positional takes the rest; a flag may come again
  bool greedy = false;      // a repeatable flag that takes several values at once
  char letter = 0;          // -v
  std::string_view alias = {};
  std::optional<std::int64_t> least = {};
  std::optional<std::int64_t> most = {};
  std::string_view fallback = {};  // the value when none is given, for help; the handler applies it
  std::span<const std::string_view> words = {};
  Parameter tool = {};
};

// Who is offered a verb as a tool (MCP). Orchestrators have all that workers have.
enum class ToolOf { nobody, orchestrators, workers };

struct Properties {
  bool reads_only = false;
  bool streams = false;              // answers by Host::emit, line by line, until it is stopped
  bool runs_dispatcher = false;      // becomes hermes-dispatcher: not for servers
  bool controls_dispatcher = false;  // starts, stops or installs it: not for servers
  bool serves = false;  // becomes a server on standard input and output: not for servers
  ToolOf tool_of = ToolOf::nobody;
  bool destructive = false;  // of a tool: may undo or end what others do
  bool idempotent = false;   // of a tool: a second call changes nothing more
  bool for_people = false;   // runs the fleet: refused inside a worker, whatever it names
  bool takes_board = false;  // --board has a meaning, whatever the group says
  bool json_lines = false;   // --json prints one object per line, not one value
  bool hidden = false;       // for other programs: not in help, completion or the manual
};

using Handler = Result<Answer> (*)(Call&);

// Words in front of a verb: `hermes kanban VERB`, `hermes kanban boards VERB`.
struct Group {
  std::string_view name;  // all the words, separated by blanks; "" is the program itself
  std::string_view help;  // one line
  std::string_view more;  // further sentences for its page, may be empty
  std::string_view default_verb = {};  // what the words alone mean; "" is help
  bool takes_board = false;            // --board has a meaning
};

// One verb, for every surface: the command line, the MCP server, the REST API, completion and the
// reference page.
struct Verb {
  std::string_view group;  // the name of its group
  std::string_view name;
  std::string_view alias;
  std::string_view help;  // one line
  std::string_view more;  // further sentences, may be empty
  std::span<const Argument> arguments;
  Properties properties;
  Handler handler = nullptr;
  std::string_view tool_help =
      {};  // what a model is told of the tool; help and more are for people
};

}  // namespace hermes::verbs
