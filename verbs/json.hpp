#pragma once

#include <nlohmann/json.hpp>

namespace hermes::verbs {

// Keys keep the order in which they are written: people read them too.
using Json = nlohmann::ordered_json;

}  // namespace hermes::verbs
