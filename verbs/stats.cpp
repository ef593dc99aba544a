#include "kernel/board/stats.hpp"

#include <algorithm>

#include "verbs/fleet.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

Result<Answer> stats(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  TRY_ASSIGN(
      const board::Stats found,
      open.database.read([&](db::Reader& tx) -> Result<board::Stats> { return board::stats(tx); }));
  Json by_assignee = Json::object();
  for (const auto& [name, counts] : found.by_assignee) {
    by_assignee[name.empty() ? "(unassigned)" : name] = counts_json(counts);
  }
  const Instant now = call.environment.now;
  Json age = nullptr;
  if (found.oldest_ready_since) {
    age = std::max<std::int64_t>(0, (now - *found.oldest_ready_since).count() / 1000);
  }
  Answer answer;
  answer.value = {{"by_status", counts_json(found.by_status)},
                  {"by_assignee", std::move(by_assignee)},
                  {"oldest_ready_age_seconds", std::move(age)},
                  {"now", now.seconds()}};
  return answer;
}

}  // namespace hermes::verbs
