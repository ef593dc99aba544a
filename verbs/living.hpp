#pragma once

#include "verbs/open.hpp"

namespace hermes::verbs {

// Whose process may live among the runs of a board, or is about to be started: by what the board
// says, when `database` can be read, and by the control records of its supervisors. Claims by hand
// have no process. `served`: a dispatcher will find out which of the runs are over, so all that are
// not gone count. Error: conflict, naming them, when there are any.
Result<void> refuse_living_runs(Call& call, const home::Home& home, const home::BoardPaths& paths,
                                db::Database* database, bool served);

}  // namespace hermes::verbs
