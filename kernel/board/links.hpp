#pragma once

#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"
#include "kernel/rules/hold.hpp"

namespace hermes::board {

// Error: invalid (self link, cycle: the path is named), not_found (every unknown id named),
// conflict (the child is done or archived), not_yours. An existing link stays as it is and answers
// false.
Result<bool> link(Change& change, const std::string& parent, const std::string& child,
                  LinkCondition condition);

// Error: not_found when there is no such link, forbidden for a worker on another task than its own,
// not_yours once its run has ended.
// Promotes the child when nothing holds it any more.
Result<void> unlink(Change& change, const std::string& parent, const std::string& child);

std::vector<std::string> parents_of(db::Reader& tx, const std::string& id);
std::vector<std::string> children_of(db::Reader& tx, const std::string& id);
std::vector<rules::OpenParent> open_parents(db::Reader& tx, const std::string& id);
bool has_open_links(db::Reader& tx, const std::string& id);

// Latches the links that this parent's present state satisfies and promotes the children that
// nothing holds any more. Called in the transaction of every move that can satisfy a link; there is
// no scan.
void satisfy_links(Change& change, const std::string& parent);

// The one place that takes a latch back, for a parent that is not done any more: its children wait
// for it again, unless they run, are in review, done or archived. Ready ones go to todo
// (`demoted`). Answers the children that wait again.
std::vector<std::string> reopen_links(Change& change, const std::string& parent);

}  // namespace hermes::board
