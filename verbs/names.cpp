#include "verbs/names.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "kernel/home/profile.hpp"

namespace hermes::verbs {

std::string assignee_name(std::string_view text) {
  std::string name = to_lower(trim(text));
  return name == "none" || name == "-" || name == "null" ? "" : name;
}

void tell_unknown_assignee(const OpenBoard& open, const std::string& assignee, Answer& answer) {
  const std::vector<std::string> profiles = home::list_profiles(open.home);
  if (assignee.empty() || std::ranges::find(profiles, assignee) != profiles.end()) {
    return;
  }
  if (const std::vector<std::string> near = nearest(assignee, profiles); !near.empty()) {
    answer.people_advice.push_back(
        fmt::format("note: there is no profile '{}', so no worker is started for it; did you mean "
                    "{}?",
                    assignee, join(near, " or ")));
  }
}

}  // namespace hermes::verbs
