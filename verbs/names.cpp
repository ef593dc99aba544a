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
  if (const std::string meant = did_you_mean(assignee, profiles); !meant.empty()) {
    answer.people_advice.push_back(fmt::format(
        "note: no worker is started for it, as there is no profile '{}'{}", assignee, meant));
  }
}

}  // namespace hermes::verbs
