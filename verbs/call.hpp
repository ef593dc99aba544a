#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/base/process.hpp"
#include "kernel/base/random.hpp"
#include "kernel/db/gate.hpp"
#include "kernel/db/watch.hpp"
#include "kernel/home/child.hpp"
#include "kernel/home/dispatcher_lock.hpp"
#include "kernel/model/actor.hpp"
#include "verbs/json.hpp"
#include "verbs/values.hpp"

namespace hermes::verbs {

namespace fs = std::filesystem;

// Where a call comes from. A value: two calls in one process never disturb each other.
struct Environment {
  std::map<std::string, std::string, std::less<>> variables;
  Instant now;

  // "" when it is not set.
  std::string variable(std::string_view name) const;
  // HERMES_PROFILE, else USER, else "user".
  std::string author() const;
  // Who asks: the author, and inside a worker the run it says it is. A malformed run id becomes 0,
  // which is nobody's.
  Actor actor() const;
};

// What a verb needs of the program around it. Implemented by the command line; tests put their own
// in its place.
class Host {
 public:
  virtual ~Host() = default;

  virtual Instant now() = 0;
  virtual HostIdentity identity() = 0;
  virtual std::string holder() = 0;  // machine, boot, PID and start time of who claims
  virtual home::DispatcherState dispatcher_state(const home::Home& home) = 0;

  enum class Handover {
    replace,  // becomes the dispatcher: returns only when that fails
    wait,     // its output is swallowed; returns its exit status
  };
  virtual Result<int> run_dispatcher(const std::vector<std::string>& arguments,
                                     Handover handover) = 0;
  // Serves agents on standard input and output until those end; the exit status.
  virtual Result<int> serve_agents(bool /*orchestrator*/) {
    return fail(ErrorCode::usage, "this program serves no agents");
  }
  // The path of a program of ours ("hermes-shim"), "" when it is not to be found.
  virtual std::string find_program(std::string_view name) = 0;

  struct ProgramEnd {
    int status = 0;      // exit status, 128 + signal when killed
    std::string output;  // standard output and error together, at most 64 KiB
  };
  // Runs a program of the system, searched in PATH, without standard input, for at most `limit`.
  // Error: unavailable when it cannot be executed or does not end in time.
  virtual Result<ProgramEnd> run_program(const std::vector<std::string>& argv, Millis limit) = 0;

  // Runs a command of the user's for at most `limit` (home::run_child). It is ended as `cancelled`
  // when the call is to end (signal).
  virtual Result<home::ChildEnd> run_child(const home::ChildCommand& command, Millis limit) = 0;

  // Runs a command of the user's with our own standard streams, searched in PATH, until it ends.
  // Its exit status, 128 + signal when killed. Error: unavailable when it cannot be executed.
  virtual Result<int> run_attached(const std::vector<std::string>&,
                                   const std::vector<std::string>& /*environment*/) {
    return fail(ErrorCode::unavailable, "nothing can be run here", "use the command line");
  }
  // Lets somebody at a terminal change a file, with VISUAL or EDITOR. Error: usage where there is
  // none; conflict when the editor fails.
  virtual Result<void> edit(const fs::path&) {
    return fail(ErrorCode::usage, "there is no terminal to edit in", "use --set KEY=VALUE");
  }

  // Starts hermes-dispatcher in a session of its own, its output added to `log` (0600), and returns
  // once it serves the home. Error: unavailable with its last words.
  virtual Result<void> start_dispatcher(const home::Home& home, const fs::path& log) = 0;

  // Tells the dispatcher of the home to end (SIGTERM) and waits until it has. Error: unavailable
  // when it cannot be told, or has not ended within `limit`.
  virtual Result<void> stop_dispatcher(const home::Home& home, Millis limit) = 0;

  // A variable in the environment that a process was started with; nothing when it cannot be seen.
  virtual std::optional<std::string> variable_of(pid_t pid, std::string_view name) = 0;

  // At most `most` bytes of standard input. Error: invalid when there is more.
  virtual Result<std::string> read_input(std::size_t most) = 0;

  // Streams: `begin` once before the first item; `emit` answers false when nobody reads any more.
  virtual void begin(const Json& facts) = 0;
  virtual bool emit(const Json& item) = 0;

  // Pictures of the board on a terminal, one over the other. `begin_screen` once before the first,
  // `end_screen` in any case after the last. From then on `wait_for` answers `changed` too when the
  // terminal has another size.
  struct Screen {
    std::size_t rows = 0;
    std::size_t columns = 0;
  };
  // Error: usage where there is no terminal.
  virtual Result<void> begin_screen() {
    return fail(ErrorCode::usage, "there is no terminal to draw on",
                "`hermes kanban watch` is for pipes: it prints each event as it is committed");
  }
  virtual Screen screen() { return {}; }
  // False when the call is to end. Keeps at least 50 ms between two pictures.
  virtual bool draw(const Json&) { return false; }
  virtual void end_screen() {}

  enum class Woken { changed, timeout, stopped };
  // Until the board changes, the limit passes, or the call is to end (signal, reader gone).
  virtual Woken wait_for(const db::GateWatch& watch, std::optional<Millis> limit) = 0;

  // Where paths that are not absolute count from; "" for the directory that the program runs in.
  virtual std::string directory() { return ""; }

  // Requested, from another thread, when whoever asked wants no answer any more: a change that is
  // still to be made is not made then. Null where nobody cancels.
  virtual db::Cancellation* cancellation() { return nullptr; }

  // For what must never keep anybody waiting: the program ends quietly, without an answer, when the
  // call takes longer. Nothing where the program does more than this call.
  virtual void give_up_after(Millis) {}
};

struct Call {
  const Verb& verb;
  Values values;
  std::optional<std::string> board;  // --board, as given
  bool json = false;                 // the whole answer is wanted, not what people are shown
  const Environment& environment;
  Host& host;
  Random& random;
};

// `value` is what every surface gets. The rest is for who stands at a terminal, and for standard
// error.
struct Answer {
  Json value;
  int exit_status = 0;
  std::vector<std::string> advice;         // for standard error
  std::vector<std::string> people_advice;  // the same, but not when JSON is asked for
  std::vector<Error> failures;             // of the items of a bulk call
  Json people;                             // what only the human form shows
};

std::string_view program_version();

// Calls the verb's handler, for every surface. Error: forbidden for a worker where the verb is for
// people; what the handler says.
Result<Answer> perform(Call& call);

}  // namespace hermes::verbs
