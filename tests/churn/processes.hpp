#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

// What /proc tells of the processes of one home.
namespace hermes::churn {

struct Process {
  pid_t pid = -1;
  pid_t parent = -1;
  std::string program;           // file name of what it executes
  std::string board, task, run;  // whose run it belongs to; empty: of none
};

// Living processes whose environment names this home. One that is about to end has no environment
// any more, and is none of them.
std::vector<Process> processes_of(const std::filesystem::path& home);

// Whether this process still lives and belongs to this run.
bool belongs_to(const Process& process);

// What its descriptors lead to.
std::vector<std::string> open_files(pid_t pid);

}  // namespace hermes::churn
