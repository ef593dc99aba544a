#include "verbs/names.hpp"

#include "kernel/base/text.hpp"

namespace hermes::verbs {

std::string assignee_name(std::string_view text) {
  std::string name = to_lower(trim(text));
  return name == "none" || name == "-" || name == "null" ? "" : name;
}

}  // namespace hermes::verbs
