#pragma once

#include <string>
#include <string_view>

namespace hermes::verbs {

// An assignee as it is stored; "none", "-" and "null" mean nobody.
std::string assignee_name(std::string_view text);

}  // namespace hermes::verbs
