#pragma once

#include <string>
#include <vector>

#include "bench/board.hpp"

namespace hermes::bench {

inline constexpr int k_links = 5;  // of every task, but for the first few

// A board in the middle of its life: a fifth of the tasks done, three fifths ready, a fifth that
// waits. Each has five parents: those that are ready have done ones only, each that waits has one
// that is ready. Spread over ten assignees.
struct LinkedBoard {
  // A ready task and the one that waits for nothing else.
  struct Pair {
    std::string parent;
    std::string child;
  };
  std::vector<std::string> free;  // ready, and nothing waits for them
  std::vector<Pair> pairs;        // a fifth of all
};

inline constexpr int k_assignees = 10;
std::string assignee(int i);  // worker0 to worker9, again and again

// Through the public operations of the kernel. `count` is a multiple of 100.
LinkedBoard fill_linked(Board& board, int count);

}  // namespace hermes::bench
