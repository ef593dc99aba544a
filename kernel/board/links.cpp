#include "kernel/board/links.hpp"

#include <fmt/core.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/links.hpp"
#include "kernel/rules/moves.hpp"

namespace hermes::board {

namespace {

constexpr std::size_t k_way_bytes = 2000;

std::vector<std::string> ids(db::Cursor row) {
  std::vector<std::string> found;
  while (row.next()) {
    found.push_back(row.text(0));
  }
  return found;
}

// The way from `from` down to `to` along the links, "a -> b -> c"; empty when there is none.
// Breadth first, each task once: a board of many diamonds has more ways than could be counted while
// everybody waits at the gate.
std::string way_down(db::Reader& tx, const std::string& from, const std::string& to) {
  std::map<std::string, std::string> reached_from{{from, ""}};
  std::deque<std::string> next{from};
  while (!next.empty()) {
    const std::string at = next.front();
    next.pop_front();
    if (at == to) {
      std::string way = at;
      for (std::string step = reached_from[at]; !step.empty(); step = reached_from[step]) {
        way.insert(0, step + " -> ");
      }
      return way;
    }
    for (const std::string& child : children_of(tx, at)) {
      if (reached_from.emplace(child, at).second) {
        next.push_back(child);
      }
    }
  }
  return "";
}

void promote_if_free(Change& change, const std::string& child_id) {
  auto child = find_task(change.tx, child_id);
  if (child && child->status == Status::todo && !has_open_links(change.tx, child_id)) {
    requeue_task(change, *child, EventKind::promoted, nullptr, std::nullopt);
  }
}

}  // namespace

Result<bool> link(Change& change, const std::string& parent, const std::string& child,
                  LinkCondition condition) {
  TRY(may_add(change));
  const auto parent_task = find_task(change.tx, parent);
  auto child_task = find_task(change.tx, child);
  if (!parent_task || !child_task) {
    std::vector<std::string> missing;
    if (!parent_task) {
      missing.push_back(parent);
    }
    if (!child_task && child != parent) {
      missing.push_back(child);
    }
    return fail(ErrorCode::not_found, fmt::format("no such task: {}", join(missing, ", ")),
                "see `hermes kanban list` for the ids of this board");
  }
  if (parent == child) {
    return fail(ErrorCode::invalid, fmt::format("{} cannot wait for itself", parent),
                "name two different tasks");
  }
  if (child_task->status == Status::done || child_task->status == Status::archived) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot link to {}: it is {}", child, to_word(child_task->status)),
                "only a task that is still to be done can wait for another");
  }
  if (const std::string way = way_down(change.tx, child, parent); !way.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("linking {} -> {} would close a cycle: {}", parent, child,
                            clip(way, k_way_bytes)),
                "unlink one of these first");
  }
  const bool satisfied = rules::satisfies(condition, *parent_task);
  if (change.tx.execute(
          "INSERT INTO links (parent_id, child_id, condition, satisfied_at) VALUES ($1, $2, $3, $4)"
          " ON CONFLICT (parent_id, child_id) DO NOTHING",
          parent, child, condition, satisfied ? std::optional(change.now) : std::nullopt) == 0) {
    return false;
  }
  append_event(change, child, std::nullopt, EventKind::linked,
               dump({{"parent", parent}, {"child", child}, {"condition", to_word(condition)}}));
  if (!satisfied && (child_task->status == Status::ready || child_task->status == Status::review)) {
    move_task(change, *child_task, Status::todo, EventKind::demoted, {{"parent", parent}},
              std::nullopt);
  }
  return true;
}

Result<void> unlink(Change& change, const std::string& parent, const std::string& child) {
  TRY(task_to_change(change, child));
  if (change.tx.execute("DELETE FROM links WHERE parent_id = $1 AND child_id = $2", parent,
                        child) == 0) {
    return fail(ErrorCode::not_found, fmt::format("no such link: {} -> {}", parent, child),
                fmt::format("`hermes kanban show {}` lists its parents", child));
  }
  append_event(change, child, std::nullopt, EventKind::unlinked,
               dump({{"parent", parent}, {"child", child}}));
  promote_if_free(change, child);
  return {};
}

std::vector<std::string> parents_of(db::Reader& tx, const std::string& id) {
  return ids(tx.query("SELECT parent_id FROM links WHERE child_id = $1 ORDER BY parent_id", id));
}

std::vector<std::string> children_of(db::Reader& tx, const std::string& id) {
  return ids(tx.query("SELECT child_id FROM links WHERE parent_id = $1 ORDER BY child_id", id));
}

std::vector<rules::OpenParent> open_parents(db::Reader& tx, const std::string& id) {
  std::vector<rules::OpenParent> open;
  auto row = tx.query(
      "SELECT l.parent_id, p.status, l.condition FROM links l JOIN tasks p ON p.id = l.parent_id"
      " WHERE l.child_id = $1 AND l.satisfied_at IS NULL ORDER BY l.parent_id",
      id);
  while (row.next()) {
    open.push_back({row.text(0), row.word<Status>(1), row.word<LinkCondition>(2)});
  }
  return open;
}

bool has_open_links(db::Reader& tx, const std::string& id) {
  return tx.query("SELECT 1 FROM links WHERE child_id = $1 AND satisfied_at IS NULL LIMIT 1", id)
      .next();
}

void satisfy_links(Change& change, const std::string& parent) {
  const auto task = find_task(change.tx, parent);
  std::vector<std::pair<std::string, LinkCondition>> waiting;
  {
    auto row = change.tx.query(
        "SELECT child_id, condition FROM links WHERE parent_id = $1 AND satisfied_at IS NULL ORDER "
        "BY child_id",
        parent);
    while (row.next()) {
      waiting.emplace_back(row.text(0), row.word<LinkCondition>(1));
    }
  }
  for (const auto& [child, condition] : waiting) {
    if (rules::satisfies(condition, *task)) {
      change.tx.execute("UPDATE links SET satisfied_at = $1 WHERE parent_id = $2 AND child_id = $3",
                        change.now, parent, child);
      promote_if_free(change, child);
    }
  }
}

std::vector<std::string> reopen_links(Change& change, const std::string& parent) {
  const auto children = ids(change.tx.query(
      "SELECT l.child_id FROM links l JOIN tasks c ON c.id = l.child_id WHERE l.parent_id = $1"
      " AND l.satisfied_at IS NOT NULL AND c.status IN ('triage', 'todo', 'scheduled', 'ready', "
      "'blocked') ORDER BY l.child_id",
      parent));
  for (const std::string& child_id : children) {
    change.tx.execute("UPDATE links SET satisfied_at = NULL WHERE parent_id = $1 AND child_id = $2",
                      parent, child_id);
    if (auto child = find_task(change.tx, child_id); child->status == Status::ready) {
      move_task(change, *child, Status::todo, EventKind::demoted,
                {{"parent", parent}, {"reason", "parent_reopened"}}, std::nullopt);
    }
  }
  return children;
}

}  // namespace hermes::board
