#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"

namespace hermes::home {

// A command that is run as a child of ours and waited for: never to be used in an event loop. It
// gets a process group of its own, so that it can be ended with all that it has started, no
// descriptor of ours but the three standard ones, and no signal blocked or ignored.
struct ChildCommand {
  std::vector<std::string> argv;         // the program is searched in our PATH
  std::vector<std::string> environment;  // NAME=value; nothing else is passed
  std::string input;                     // its standard input; "" is an empty one
  std::filesystem::path directory;       // "": ours
  std::size_t out_bytes = 0;             // of standard output; what follows is dropped
  std::size_t err_bytes = 0;             // of standard error, its end
  bool end_when_full = false;            // more output than that ends it
  bool end_remains = false;              // what it leaves behind in its group is killed
  int inherited = -1;                    // a descriptor that it gets as number 3
};

struct ChildEnd {
  enum class Kind {
    exited,       // code: exit status
    signaled,     // code: signal number
    not_started,  // code: errno of exec or of what goes before it
    timed_out,    // these three: it was ended by us, with its group
    cancelled,
    too_much_output,
  };
  Kind kind = Kind::exited;
  int code = 0;
  std::string out;
  std::string err;
};

// Until the command itself has ended: what it leaves behind could keep its output open for ever.
// SIGTERM first when it has to be ended, SIGKILL 2 s later. `cancel_fd`: ended when it becomes
// readable. Error: unavailable (no pipe, no memory for the input).
Result<ChildEnd> run_child(const ChildCommand& command, std::chrono::steady_clock::time_point until,
                           int cancel_fd = -1);

}  // namespace hermes::home
