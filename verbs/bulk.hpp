#pragma once

#include <functional>
#include <string>
#include <vector>

#include "verbs/call.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

// A live process that an item of a bulk call has told to stop.
struct Stopping {
  std::string task_id;
  std::int64_t run_id = 0;
};

// What one item came to: its report, and the process that has to end before the report is whole.
struct ItemDone {
  Json report;
  std::optional<Stopping> stopping;
};

// Does `one` for each id once, each in its own transaction: a bad id never stops the others.
// `failed` shapes the report of a refusal. A single id is answered with its bare report, several
// with an array; exit status 1 when any failed. Waits for the processes that were told to stop, all
// together.
Result<Answer> bulk(
    Call& call, OpenBoard& open, const std::vector<std::string>& ids,
    const std::function<Result<ItemDone>(const std::string& given)>& one,
    const std::function<Json(const std::string& given, const Error& error)>& failed);

// {task_id, ok: false, error}
Json refused_item(const std::string& given, const Error& error);

// The positional `task_id` and --ids, in the order given.
std::vector<std::string> ids_of(const Call& call);

}  // namespace hermes::verbs
