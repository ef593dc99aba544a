#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/event.hpp"
#include "kernel/model/words.hpp"

namespace hermes::board {

// Here and nowhere else events are written, with the deliveries to those who subscribed to them.
// `payload`: text of a JSON object, "" for none. `task_id` "": an event of the board itself.
void append_event(Change& change, const std::string& task_id, std::optional<std::int64_t> run_id,
                  EventKind kind, const std::string& payload);

// One that another board's history brings: of whatever kind, at its own time. Its payload must not
// have the keys "from", "to" and "limit", which tell the states of a task here.
struct ForeignEvent {
  const std::string& kind;
  const std::string& payload;
  Instant at;
};
void append_imported_event(Change& change, const std::string& task_id,
                           std::optional<std::int64_t> run_id, const ForeignEvent& event);

// SQL: the state into which an event of this payload has moved its task; NULL when it moved
// nothing.
std::string state_after(const std::string& payload);

// All of a task, oldest first.
std::vector<Event> events_of(db::Reader& tx, const std::string& task_id);

// An event with what its task is now, for streams.
struct WatchedEvent {
  Event event;
  std::string assignee;
  std::string tenant;
};
struct EventFilter {
  std::optional<std::string> task_id;  // reads only the rows of this task
  std::optional<std::string> assignee;
  std::optional<std::string> tenant;
  std::vector<std::string> kinds;  // empty: all
};
struct EventPage {
  std::vector<WatchedEvent> events;
  std::int64_t cursor = 0;  // pass as `after` next time; moves over filtered events too
  bool more = false;
};
// Events with seq > `after`, oldest first, looking at no more than `most` rows.
EventPage events_after(db::Reader& tx, std::int64_t after, std::int64_t most,
                       const EventFilter& filter);

// The newest number, 0 on an empty board.
std::int64_t last_event(db::Reader& tx);

}  // namespace hermes::board
