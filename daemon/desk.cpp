#include "daemon/desk.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "daemon/logger.hpp"

namespace hermes::daemon {

namespace {

constexpr Millis k_postpone{250};  // after a gate that could not be had in time
constexpr Millis k_first_hold_off{1000};
constexpr Millis k_longest_hold_off{60'000};
constexpr Millis k_quiet{1000};

std::pair<dev_t, ino_t> identity_of(const home::fs::path& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? std::pair(facts.st_dev, facts.st_ino)
                                           : std::pair<dev_t, ino_t>{};
}

}  // namespace

Desk::Desk(home::BoardPaths paths, Loop& loop) : paths_(std::move(paths)), loop_(loop) {}

bool Desk::ready(Instant now, const std::string& holder, const Limits& limits) {
  if (held_off_until_ && *held_off_until_ > std::chrono::steady_clock::now()) {
    return false;
  }
  held_off_until_.reset();
  if (database_ && is_replaced()) {
    log_warning(fmt::format("board {} was replaced by another one", paths_.slug));
    close();
  }
  if (!database_) {
    open(now, holder, limits);
  }
  return database_.has_value() && !held_off_until_;
}

void Desk::open(Instant now, const std::string& holder, const Limits& limits) {
  auto database =
      db::Database::open(home::files_of(paths_), db::Database::Access::write, now, k_gate_wait);
  if (!database) {
    accept(std::unexpected(database.error()));
    return;
  }
  file_ = identity_of(paths_.database());
  database_.emplace(std::move(*database));
  if (const auto watched = watch_gate(); !watched) {
    accept(watched);
    return;
  }
  const auto epoch = database_->write(
      [&](db::Writer& tx) -> Result<std::int64_t> {
        board::Change change{tx, now, actor_, paths_.slug, limits, random_};
        return board::take_over(change, holder);
      },
      k_gate_wait);
  if (!epoch) {
    accept(std::unexpected(epoch.error()));
    close();
    return;
  }
  epoch_ = *epoch;
  ++opened_;
  seen_version_ = -1;
  if (trouble_) {
    log_info(fmt::format("board {} is served again", paths_.slug));
  }
  trouble_.reset();
  hold_off_ = Millis{0};
}

// Set up before the first look at the board, so that no commit falls between.
Result<void> Desk::watch_gate() {
  watching_.reset();  // before the descriptor it watches
  TRY_ASSIGN(gate_, db::GateWatch::on(paths_.lock()));
  watching_ = loop_.on_readable(gate_->fd(), [this] {
    if (changed()) {
      loop_.wake();
    }
  });
  return {};
}

bool Desk::changed() {
  if (!gate_) {
    return false;
  }
  const auto seen = gate_->take();
  if (!database_) {
    return true;
  }
  if (seen == db::GateWatch::Seen::lost) {  // overflow, or another file stands there now: open and
                                            // watch anew
    close();
    return true;
  }
  const auto version = database_->data_version();
  // Whoever moves a board away closes its gate, and commits nothing.
  return !version || *version != seen_version_ || is_replaced();
}

void Desk::look() {
  if (const auto version = database_->data_version(); version && *version != seen_version_) {
    seen_version_ = *version;
    untidy_since_ = std::chrono::steady_clock::now();
  }
}

std::optional<MonotonicTime> Desk::tidy(MonotonicTime now) {
  if (!database_ || !untidy_since_) {
    return std::nullopt;
  }
  if (now - *untidy_since_ < k_quiet) {
    return *untidy_since_ + k_quiet;
  }
  untidy_since_.reset();
  (void)database_->truncate_wal(
      k_postpone);  // best effort: after the next change it is tried again
  return std::nullopt;
}

void Desk::close() {
  watching_.reset();
  gate_.reset();
  database_.reset();
}

bool Desk::is_replaced() const { return identity_of(paths_.database()) != file_; }

bool Desk::accept(const Result<void>& result) {
  if (result) {
    return true;
  }
  const Error& error = result.error();
  if (error.code == ErrorCode::busy) {
    held_off_until_ = std::chrono::steady_clock::now() + k_postpone;  // from the end of the wait on
    log_debug(fmt::format("board {} is busy, postponed: {}", paths_.slug, one_line(error)));
    return false;
  }
  fenced_off_ = fenced_off_ || error.code == ErrorCode::not_yours;
  newer_schema_ = newer_schema_ || (error.code == ErrorCode::schema && database_.has_value());
  if (!trouble_ || trouble_->message != error.message) {
    log_error(fmt::format("board {} cannot be served for now: {}", paths_.slug, one_line(error)));
  }
  trouble_ = error;
  hold_off_ = std::clamp(hold_off_ * 2, k_first_hold_off, k_longest_hold_off);
  held_off_until_ = std::chrono::steady_clock::now() + hold_off_;
  close();
  return false;
}

void Desk::vacate(Instant now, const Limits& limits, const std::string& reason) {
  if (database_) {
    write(now, limits, [&](board::Change& change) { board::vacate(change, epoch_, reason); });
    close();
  }
}

}  // namespace hermes::daemon
