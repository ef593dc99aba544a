#include "kernel/board/events.hpp"

#include <algorithm>

#include "kernel/board/notify.hpp"

namespace hermes::board {

namespace {

Event read_event(const db::Cursor& row) {
  return {row.integer(0), row.maybe_text(1), row.maybe_integer(2),
          row.text(3),    row.maybe_text(4), row.instant(5)};
}

void insert(db::Writer& tx, const std::string& task_id, std::optional<std::int64_t> run_id,
            std::string_view kind, const std::string& payload, Instant at) {
  tx.execute("INSERT INTO events (task_id, run_id, kind, payload, at) VALUES ($1, $2, $3, $4, $5)",
             task_id.empty() ? std::nullopt : std::optional<std::string_view>(task_id), run_id,
             kind, payload.empty() ? std::nullopt : std::optional<std::string_view>(payload), at);
}

}  // namespace

void append_event(Change& change, const std::string& task_id, std::optional<std::int64_t> run_id,
                  EventKind kind, const std::string& payload) {
  insert(change.tx, task_id, run_id, to_word(kind), payload, change.now);
  write_deliveries(change, task_id, kind, change.tx.last_insert_id());
}

void append_imported_event(Change& change, const std::string& task_id,
                           std::optional<std::int64_t> run_id, const ForeignEvent& event) {
  insert(change.tx, task_id, run_id, event.kind, event.payload, event.at);
}

std::string state_after(const std::string& payload) {
  return "CASE WHEN json_valid(" + payload + ") THEN json_extract(" + payload + ", '$.to') END";
}

std::vector<Event> events_of(db::Reader& tx, const std::string& task_id) {
  std::vector<Event> events;
  auto row = tx.query(
      "SELECT seq, task_id, run_id, kind, payload, at FROM events WHERE task_id = $1 ORDER BY seq",
      task_id);
  while (row.next()) {
    events.push_back(read_event(row));
  }
  return events;
}

EventPage events_after(db::Reader& tx, std::int64_t after, std::int64_t most,
                       const EventFilter& filter) {
  EventPage page;
  page.cursor = after;
  std::int64_t looked_at = 0;
  const std::string sql =
      std::string(
          "SELECT e.seq, e.task_id, e.run_id, e.kind, e.payload, e.at, "
          "COALESCE(t.assignee, ''), COALESCE(t.tenant, '')"
          " FROM events e LEFT JOIN tasks t ON t.id = e.task_id WHERE e.seq > $1") +
      (filter.task_id ? " AND e.task_id = $3" : "") + " ORDER BY e.seq LIMIT $2";
  auto row =
      filter.task_id ? tx.query(sql, after, most, *filter.task_id) : tx.query(sql, after, most);
  while (row.next()) {
    WatchedEvent watched{read_event(row), row.text(6), row.text(7)};
    page.cursor = watched.event.seq;
    ++looked_at;
    const bool wanted_kind =
        filter.kinds.empty() || std::find(filter.kinds.begin(), filter.kinds.end(),
                                          watched.event.kind) != filter.kinds.end();
    if (wanted_kind && (!filter.assignee || *filter.assignee == watched.assignee) &&
        (!filter.tenant || *filter.tenant == watched.tenant)) {
      page.events.push_back(std::move(watched));
    }
  }
  page.more = looked_at == most;
  return page;
}

std::int64_t last_event(db::Reader& tx) {
  auto row = tx.query("SELECT COALESCE(max(seq), 0) FROM events");
  row.next();
  return row.integer(0);
}

}  // namespace hermes::board
