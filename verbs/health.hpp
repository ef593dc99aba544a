#pragma once

#include "kernel/rules/diagnostics.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

// What is wrong with one task, its profile included while it waits for it.
Result<std::vector<rules::Diagnostic>> diagnose_task(OpenBoard& open, Call& call,
                                                     const std::string& id);

Json diagnostics_json(const std::vector<rules::Diagnostic>& found);

}  // namespace hermes::verbs
