#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include "daemon/loop.hpp"
#include "kernel/base/random.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/db/watch.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::daemon {

// One board as this dispatcher serves it. What goes wrong with it is logged once, kept as
// `trouble`, tried again with back-off, and never touches another board.
class Desk {
 public:
  Desk(home::BoardPaths paths, Loop& loop);

  const std::string& slug() const { return paths_.slug; }
  const home::BoardPaths& paths() const { return paths_; }

  // Opens the board, watches its gate and takes it over (epoch + 1), when it is not open and not
  // held off. True when it can be used now.
  bool ready(Instant now, const std::string& holder, const Limits& limits);

  // Runs `body(Change&)` in a write transaction fenced by our epoch. False when it was not
  // committed: `trouble` says why.
  template <class Body>
  bool write(Instant now, const Limits& limits, Body body) {
    if (!database_) {  // it was closed by a failure earlier in this pass
      return false;
    }
    const auto written = database_->write(
        [&](db::Writer& tx) -> Result<void> {
          TRY(board::check_epoch(tx, epoch_));
          board::Change change{tx, now, actor_, paths_.slug, limits, random_};
          body(change);
          return {};
        },
        k_gate_wait);
    untidy_since_ = std::chrono::steady_clock::now();
    return accept(written);
  }
  template <class Body>
  bool read(Body body) {
    if (!database_) {
      return false;
    }
    const auto seen = database_->read([&](db::Reader& tx) -> Result<void> {
      body(tx);
      return {};
    });
    return accept(seen);
  }

  // The gate was closed by somebody: true when the board may have changed since look().
  bool changed();
  void look();  // remembers the present state as seen: before reading, so that what comes later is
                // seen too

  // What look() has seen: equal ones mean that nobody else has committed in between.
  struct State {
    std::int64_t opened = 0;  // how often
    std::int64_t version = -1;
    bool operator==(const State&) const = default;
  };
  State state() const { return {opened_, seen_version_}; }

  // A board that has been quiet for 1 s gets its WAL copied back. Returns when to ask again.
  std::optional<MonotonicTime> tidy(MonotonicTime now);

  std::optional<MonotonicTime> held_off_until() const { return held_off_until_; }
  // Its gate could not be had in time, and nothing else is wrong: it is tried again in a moment.
  bool postponed() const { return held_off_until_ && !trouble_; }
  const std::optional<Error>& trouble() const { return trouble_; }
  bool newer_schema() const { return newer_schema_; }
  bool fenced_off() const { return fenced_off_; }  // another dispatcher has taken this board over

  void vacate(Instant now, const Limits& limits, const std::string& reason);

 private:
  static constexpr Millis k_gate_wait{250};
  bool accept(const Result<void>& result);
  void open(Instant now, const std::string& holder, const Limits& limits);
  Result<void> watch_gate();
  void close();
  bool is_replaced() const;  // another file stands where the open one stood

  home::BoardPaths paths_;
  Loop& loop_;
  Actor actor_{"dispatcher", std::nullopt};
  SystemRandom random_;
  std::optional<db::Database> database_;
  std::optional<db::GateWatch> gate_;
  std::unique_ptr<Loop::Watch> watching_;
  std::int64_t epoch_ = 0;
  std::int64_t opened_ = 0;
  std::int64_t seen_version_ = -1;
  std::optional<MonotonicTime> untidy_since_;
  std::optional<Error> trouble_;
  std::optional<MonotonicTime> held_off_until_;  // monotonic: a clock set back stops no board
  Millis hold_off_{0};
  bool newer_schema_ = false;
  bool fenced_off_ = false;
  std::pair<dev_t, ino_t> file_;
};

}  // namespace hermes::daemon
