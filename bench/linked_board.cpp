#include "bench/linked_board.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "kernel/board/verdicts.hpp"

namespace hermes::bench {

namespace {

constexpr int k_per_transaction = 2000;

// Calls `one` for 0 to count - 1, in transactions of a few thousand.
void in_batches(Board& board, int count,
                const std::function<Result<void>(board::Change&, int)>& one) {
  for (int done = 0; done < count;) {
    throw_if_interrupted();
    const int end = std::min(done + k_per_transaction, count);
    board.write([&](board::Change& change) -> Result<void> {
      for (; done < end; ++done) {
        TRY(one(change, done));
      }
      return {};
    });
  }
}

Result<std::string> create_one(board::Change& change, int i, std::vector<std::string> parents) {
  TRY_ASSIGN(const auto created, board::create(change, {.title = fmt::format("task {}", i),
                                                        .assignee = assignee(i),
                                                        .parents = std::move(parents)}));
  return created.task.id;
}

// `count` neighbours of `all`, which has more; each is taken as often as any other.
std::vector<std::string> neighbours(const std::vector<std::string>& all, int i, int count) {
  std::vector<std::string> chosen;
  for (int k = 0; k < count; ++k) {
    chosen.push_back(all[static_cast<std::size_t>(i * count + k) % all.size()]);
  }
  return chosen;
}

std::vector<std::string> fill_done(Board& board, int count) {
  std::vector<std::string> done;
  in_batches(board, count, [&](board::Change& change, int i) -> Result<void> {
    const int earlier = std::min(i, k_links);
    TRY_ASSIGN(std::string id, create_one(change, i, {done.end() - earlier, done.end()}));
    TRY(board::complete(change, id, {}, false));
    done.push_back(std::move(id));
    return {};
  });
  return done;
}

}  // namespace

std::string assignee(int i) { return fmt::format("worker{}", i % k_assignees); }

LinkedBoard fill_linked(Board& board, int count) {
  const int fifth = count / 5;
  const std::vector<std::string> done = fill_done(board, fifth);
  LinkedBoard filled;
  in_batches(board, 2 * fifth, [&](board::Change& change, int i) -> Result<void> {
    TRY_ASSIGN(std::string id, create_one(change, i, neighbours(done, i, k_links)));
    filled.free.push_back(std::move(id));
    return {};
  });
  in_batches(board, fifth, [&](board::Change& change, int i) -> Result<void> {
    TRY_ASSIGN(std::string parent, create_one(change, i, neighbours(done, i, k_links)));
    std::vector<std::string> parents = neighbours(done, i, k_links - 1);
    parents.push_back(parent);
    TRY_ASSIGN(std::string child, create_one(change, i, std::move(parents)));
    filled.pairs.push_back({std::move(parent), std::move(child)});
    return {};
  });
  board.empty_wal();
  return filled;
}

}  // namespace hermes::bench
