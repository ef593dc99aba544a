#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hermes::test {

// A workload that is recorded once, and then the power is cut again and again.
struct PowerCutPlan {
  enum class Begin { board, creation, upgrade };

  std::uint64_t seed = 1;
  Begin begin = Begin::board;
  std::filesystem::path older_board;  // of an upgrade
  int calls = 40;
  int bulk_every = 0;             // Workload
  int truncate_every = 16;        // calls between two complete checkpoints
  std::size_t every = 1;          // cut after every so manieth write; after all else always
  std::size_t every_copy = 0;     // the same of writes to board.db, by a checkpoint; 0: as `every`
  int images = 3;                 // of one cut: nothing kept, everything, the others at random
  std::size_t again_every = 100;  // images between two whose recovery is cut as well
  bool alone = false;             // each call opens the board anew, and nobody else has it open
  bool lies = false;              // the disk says that it has synced and has not
};

struct PowerCutReport {
  std::size_t changes = 0;   // of the disk, in the recorded workload
  std::size_t commits = 0;   // acknowledged
  std::size_t states = 0;    // that differ: a call that the board's rules refuse changes nothing
  std::size_t cuts = 0;      // points in time
  std::size_t copies = 0;    // of them behind a write to board.db
  std::size_t images = 0;    // judged
  std::size_t distinct = 0;  // opened: images that nobody has seen before
  std::size_t again = 0;     // images of a cut recovery
  std::size_t refused = 0;   // boards under creation that cannot be opened
  std::size_t failed = 0;
  std::vector<std::string> failures;  // the first few
};

// Each image must open, be sound, and hold exactly what was acknowledged, or that and the call
// under way.
PowerCutReport cut_power(const PowerCutPlan& plan);

}  // namespace hermes::test
