#include <set>

#include "kernel/board/stats.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/fleet.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

// Profiles on disk, and whoever a task that is not archived is assigned to.
Result<Answer> assignees(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  TRY_ASSIGN(
      const board::Stats found,
      open.database.read([&](db::Reader& tx) -> Result<board::Stats> { return board::stats(tx); }));
  const auto profiles = home::list_profiles(open.home);
  const std::set<std::string> on_disk(profiles.begin(), profiles.end());
  std::set<std::string> names = on_disk;
  for (const auto& [name, counts] : found.by_assignee) {
    if (!name.empty()) {
      names.insert(name);
    }
  }
  Answer answer;
  answer.value = Json::array();
  for (const std::string& name : names) {
    const auto counts = found.by_assignee.find(name);
    answer.value.push_back(
        {{"name", name},
         {"on_disk", on_disk.contains(name)},
         {"counts",
          counts == found.by_assignee.end() ? Json::object() : counts_json(counts->second)}});
  }
  return answer;
}

}  // namespace hermes::verbs
