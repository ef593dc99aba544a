#include "kernel/board/facts.hpp"

namespace hermes::board {

std::optional<DispatcherEnd> last_dispatcher_end(db::Reader& tx) {
  auto row = tx.query("SELECT value, at FROM board_facts WHERE name = 'dispatcher_ended'");
  if (!row.next()) {
    return std::nullopt;
  }
  return DispatcherEnd{row.text(0), row.instant(1)};
}

std::optional<FailedRun> last_failure(db::Reader& tx, const std::string& profile) {
  auto row = tx.query(
      "SELECT task_id, outcome, error, ended_at FROM (SELECT task_id, outcome, error, ended_at, "
      "holder_kind FROM runs WHERE profile = $1 AND ended_at IS NOT NULL ORDER BY ended_at DESC "
      "LIMIT 1000) WHERE holder_kind <> 'external' AND outcome IN ('failed', 'crashed', "
      "'timed_out', 'stale', 'protocol_violation', 'spawn_failed') ORDER BY ended_at DESC LIMIT 1",
      profile);
  if (!row.next()) {
    return std::nullopt;
  }
  return FailedRun{row.text(0), row.word<Outcome>(1), row.maybe_text(2), row.instant(3)};
}

std::optional<Instant> board_created(db::Reader& tx) {
  auto row = tx.query("SELECT applied_at FROM schema_migrations WHERE number = 1");
  return row.next() ? row.maybe_instant(0) : std::nullopt;
}

}  // namespace hermes::board
