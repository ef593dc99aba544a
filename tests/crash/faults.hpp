#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "crash/disk.hpp"
#include "kernel/base/error.hpp"

namespace hermes::test {

// What an operating system can answer instead of doing what it is asked.
struct Fault {
  std::string name;
  Touch touch;
  int code;
  int error_number;
  bool half_written = false;
};
const std::vector<Fault>& faults();

// The same calls again and again, with a fault at another operation each time.
struct FaultPlan {
  std::uint64_t seed = 1;
  int calls = 12;
  std::filesystem::path older_board;  // that the first call finds and brings up to date
  std::size_t most = 0;               // of the operations that a fault can meet, so many; 0: all
  bool lasting = false;               // not once, but from then on
  bool kept_open = false;  // the board stays open after an error, else the next call opens it anew
  bool creation = false;   // no calls: what fails is the making of the board
  bool long_wal = false;   // beside a reader, so that the index of the WAL must grow at a COMMIT
};

// Whether such an operation comes up at all. Files are removed, and directories synced, while a
// board is made; a long WAL is played for what concerns its index.
bool can_meet(const FaultPlan& plan, const Fault& fault);

struct FaultReport {
  std::size_t faults = 0;  // workloads played with one
  std::size_t met = 0;     // in which some call has failed
  std::size_t errors = 0;  // calls that answered an error of the storage
  std::size_t whole = 0;   // workloads of which such a call was found on the board, whole
  std::map<ErrorCode, std::size_t> codes;
  std::size_t failed = 0;
  std::vector<std::string> failures;  // the first few

  void add(const FaultReport& other);
};

// Each call answers; once the fault is over, the board is sound and holds every call that was
// acknowledged, none of which was said that nothing was changed, no half of any, and can be used,
// also without being opened anew.
FaultReport play_faults(const FaultPlan& plan, const Fault& fault);

}  // namespace hermes::test
