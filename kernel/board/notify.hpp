#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/words.hpp"

// Who is told of what. A pending delivery is written in the transaction of its event, so none is
// lost and none is made up: a subscription begins with the next event, never with history.
namespace hermes::board {

// Whose telling it is: a chat of a platform, or a thread of one.
struct Target {
  std::string channel;  // the platform
  std::string address;  // the chat
  std::string thread;   // "": none
};

struct Subscription {
  std::int64_t id = 0;
  std::optional<std::string> task_id;  // nothing: the whole board
  std::vector<std::string> kinds;      // of events
  Target target;
  std::optional<std::string> user_id;
  std::optional<std::string> owner;  // the profile that delivers
  std::int64_t cursor = 0;           // events up to this one were there before
  Instant created_at;
  std::optional<Instant>
      ended_at;              // its task is done or archived: what is pending is still delivered
  std::int64_t pending = 0;  // deliveries
};

struct SubscribeRequest {
  std::optional<std::string> task_id;
  std::vector<EventKind> kinds;  // empty: as it is, or the usual ones
  Target target;
  std::optional<std::string> user_id;
  std::optional<std::string> owner;
};
struct Subscribed {
  Subscription subscription;
  bool existing = false;  // only what was missing of it was added
};
// Error: invalid (a blank target), not_found, forbidden, not_yours.
Result<Subscribed> subscribe(Change& change, const SubscribeRequest& request);

// With its pending deliveries. Error: not_found, forbidden, not_yours.
Result<void> unsubscribe(Change& change, const std::optional<std::string>& task_id,
                         const Target& target);

// Of one task, or all of the board; oldest first.
std::vector<Subscription> subscriptions(db::Reader& tx, const std::optional<std::string>& task_id);

// For append_event alone: the deliveries of an event that was just written. Where nobody subscribes
// this is one look into an empty index.
void write_deliveries(Change& change, const std::string& task_id, EventKind kind,
                      std::int64_t event_seq);

// Subscriptions to a task that had ended with it tell of it again. Its own and no others'.
void resume_subscriptions(Change& change, const std::string& task_id);

}  // namespace hermes::board
