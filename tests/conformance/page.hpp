#pragma once

#include <string>
#include <vector>

#include "conformance/scene.hpp"

namespace hermes::test::conformance {

// docs/conformance.md. Both lists are in the order of calls, callers and places; what comes to the
// same stands in one line.
std::string page(const std::vector<Cell>& writing, const std::vector<Cell>& reading);

}  // namespace hermes::test::conformance
