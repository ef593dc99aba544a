#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/loop.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/home/worktree.hpp"
#include "kernel/model/task.hpp"

namespace hermes::daemon {

// The working trees that are being made for claimed runs. git takes its time and may hang, so each
// is made by a child process: this program again, as `make_tree` below. The loop only learns that
// it has ended.
//
// A child goes on when we are killed, to its own end within its term: a tree is better finished
// than left half-made, and whoever comes next for the same tree waits for its lock.
class TreeMakers {
 public:
  TreeMakers(home::Home home, Loop& loop);
  ~TreeMakers();

  // Error: unavailable.
  Result<void> start(const std::string& board, std::int64_t run_id, const Task& task);

  // Its child is told to stop; an error is what it comes to.
  void cancel(const std::string& board, std::int64_t run_id);
  // Nobody waits for those of this board any more.
  void forget_board(const std::string& board);

  // Those of a board that have ended since last asked.
  struct Done {
    std::int64_t run_id = 0;
    Result<home::Tree> tree;
  };
  std::vector<Done> take(const std::string& board);
  bool is_ready(const std::string& board) const;  // take() would give something

  // Gives up children that are stuck past their term. Returns when to be called again.
  std::optional<MonotonicTime> step(MonotonicTime now);

  bool busy() const { return !entries_.empty(); }

 private:
  using Key = std::pair<std::string, std::int64_t>;
  struct Child {
    Fd pidfd;
    Fd answer;
    std::unique_ptr<Loop::Watch> watch;
    MonotonicTime until;
    bool forgotten = false;
    std::optional<Result<home::Tree>> tree;
  };
  void ended(const Key& key);
  void forget(Child& child);

  home::Home home_;
  Loop& loop_;
  std::map<Key, Child> entries_;
  std::map<int, Child> orphans_;  // by the number of their pidfd: reaped when they end
};

// The child's side: `hermes-dispatcher --make-tree HOME BOARD TASK PATH BRANCH`, PATH and BRANCH ""
// when the task names none. Writes what came of it to its standard output; gives the exit status.
inline constexpr std::string_view k_make_tree = "--make-tree";
int make_tree(const std::vector<std::string>& arguments);

}  // namespace hermes::daemon
