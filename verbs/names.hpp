#pragma once

#include <string>
#include <string_view>

#include "verbs/open.hpp"

namespace hermes::verbs {

// An assignee as it is stored; "none", "-" and "null" mean nobody.
std::string assignee_name(std::string_view text);

// A name that is no profile is a lane worked by somebody else, or a slip: people are told which
// profiles were perhaps meant.
void tell_unknown_assignee(const OpenBoard& open, const std::string& assignee, Answer& answer);

}  // namespace hermes::verbs
