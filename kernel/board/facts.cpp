#include "kernel/board/facts.hpp"

namespace hermes::board {

std::optional<DispatcherEnd> last_dispatcher_end(db::Reader& tx) {
  auto row = tx.query("SELECT value, at FROM board_facts WHERE name = 'dispatcher_ended'");
  if (!row.next()) {
    return std::nullopt;
  }
  return DispatcherEnd{row.text(0), row.instant(1)};
}

std::optional<Instant> board_created(db::Reader& tx) {
  auto row = tx.query("SELECT applied_at FROM schema_migrations WHERE number = 1");
  return row.next() ? row.maybe_instant(0) : std::nullopt;
}

}  // namespace hermes::board
