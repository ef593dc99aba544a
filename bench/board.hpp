#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bench/sample.hpp"
#include "bench/temp_home.hpp"
#include "bench/wait.hpp"
#include "kernel/base/random.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/db/database.hpp"
#include "kernel/db/watch.hpp"

namespace hermes::bench {

template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(one_line(result.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

// The default board of a home, through the kernel library. What fails, throws.
class Board {
 public:
  explicit Board(const TempHome& home);

  // `body` takes board::Change& and returns a Result; a value means that COMMIT has returned.
  template <class Body>
  auto write(Body body) {
    return must(database_.write([&](db::Writer& tx) {
      board::Change change{tx, wall_clock_now(), actor_, slug_, limits_, random_};
      return body(change);
    }));
  }
  // `body` takes db::Reader& and returns a value.
  template <class Body>
  auto read(Body body) {
    using Value = std::invoke_result_t<Body, db::Reader&>;
    return must(database_.read([&](db::Reader& tx) -> Result<Value> { return body(tx); }));
  }
  // The integer that a query answers, 0 when there is no row.
  template <class... Args>
  std::int64_t number(std::string_view sql, const Args&... args) {
    return read([&](db::Reader& tx) {
      auto row = tx.query(sql, args...);
      return row.next() ? row.integer(0) : std::int64_t{0};
    });
  }

  // In one transaction.
  std::string create(const std::string& title, const std::string& assignee);

  // The same by hand, to take the time where COMMIT returns: when `write` returns, the gate has
  // been closed, and whoever that woke may have run already, even on this CPU. No checkpoint: call
  // empty_wal now and then.
  struct Stamped {
    std::string id;
    Nanos committed = 0;
  };
  Stamped create_stamped(const std::string& title, const std::string& assignee);
  // In transactions of a few thousand.
  void fill(std::int64_t count, const std::string& assignee);

  std::int64_t count(Status status);
  bool is(const std::string& task_id, Status status);
  db::GateWatch watch() const;
  void empty_wal();

 private:
  std::string slug_ = "default";
  Actor actor_{"bench", std::nullopt};
  Limits limits_;
  SystemRandom random_;
  fs::path lock_;
  db::Database database_;
  db::Connection by_hand_;
};

// Waits at the gate until `condition()` holds, looking after every commit; throws, naming `what`,
// when no commit comes for 30 s. The watch must be older than what is waited for.
template <class Condition>
void wait_at_gate(const std::string& what, db::GateWatch& watch, Condition condition) {
  while (!condition()) {
    wait_readable(what, watch.fd());
    watch.take();
  }
}

}  // namespace hermes::bench
