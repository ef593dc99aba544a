#include "board/walk.hpp"

#include <fmt/core.h>

namespace hermes::test {

namespace {

// All tables but the events and what only counts them, each row as text.
std::string rows_of(db::Reader& tx) {
  std::vector<std::string> selects;
  {
    auto row = tx.query(
        "SELECT 'SELECT ' || group_concat('quote(' || c.name || ')', ' || '','' || ') || ' FROM '"
        " || t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
        " AND t.name NOT IN ('events', 'sqlite_sequence', 'schema_migrations') GROUP BY t.name");
    while (row.next()) {
      selects.push_back(row.text(0));
    }
  }
  std::string all;
  for (const std::string& select : selects) {
    auto row = tx.query(select);
    while (row.next()) {
      all += row.text(0) + "\n";
    }
  }
  return all;
}

std::set<std::int64_t> ids_of(db::Reader& tx, const std::string& table) {
  std::set<std::int64_t> ids;
  auto row = tx.query("SELECT id FROM " + table);
  while (row.next()) {
    ids.insert(row.integer(0));
  }
  return ids;
}

bool is_waiting_freed(Status from, Status to) {
  return from == Status::todo && (to == Status::ready || to == Status::review);
}

}  // namespace

Picture look(db::Reader& tx) {
  Picture seen;
  {
    auto row = tx.query("SELECT id, status, completed_at FROM tasks");
    while (row.next()) {
      seen.tasks[row.text(0)] = {row.word<Status>(1), row.maybe_integer(2)};
    }
  }
  {
    auto row = tx.query("SELECT parent_id, child_id, satisfied_at IS NOT NULL FROM links");
    while (row.next()) {
      seen.links[{row.text(0), row.text(1)}] = row.boolean(2);
    }
  }
  {
    auto row = tx.query("SELECT task_id FROM runs WHERE ended_at IS NULL");
    while (row.next()) {
      seen.open_runs.insert(row.text(0));
    }
  }
  seen.comments = ids_of(tx, "comments");
  seen.attachments = ids_of(tx, "attachments");
  seen.runs = ids_of(tx, "runs");
  seen.last_event = board::last_event(tx);
  seen.rows = rows_of(tx);
  return seen;
}

Walk::Walk(std::uint64_t seed) : dice_(seed) {
  board_.random = SeededRandom(seed ^ 0x5eed);
  board_.limits.failure_limit = 2;
  board_.limits.verdict_grace = Millis{0};
  before_ = board_.read(look);
}

void Walk::check(const May& may, bool refused) {
  Picture now = board_.read(look);
  for (const std::string& violation :
       board_.read([](db::Reader& tx) { return board::check_invariants(tx); })) {
    find(violation);
  }
  if (refused && (now.rows != before_.rows || now.last_event != before_.last_event)) {
    find("what was refused has changed something");
  }
  if (now.last_event < before_.last_event) {
    find("the number of the last event has become smaller");
  }
  check_tasks(now, may);
  check_links(now, may);
  check_kept(now);
  before_ = std::move(now);
}

void Walk::check_tasks(const Picture& now, const May& may) {
  for (const auto& [id, was] : before_.tasks) {
    const auto found = now.tasks.find(id);
    if (found == now.tasks.end()) {
      if (!may.removes || id != may.target) {
        find(id + " is gone");
      }
      continue;
    }
    const Status is = found->second.status;
    const bool is_target = id == may.target && may.to.contains(is);
    const bool moved_along = (may.frees && is_waiting_freed(was.status, is)) ||
                             (may.reopens && was.status == Status::ready && is == Status::todo);
    if (is != was.status && !is_target && !moved_along && !may.ends_all) {
      find(fmt::format("{} went from {} to {}", id, to_word(was.status), to_word(is)));
    }
    const bool stays_done =
        was.status == Status::done && (is == Status::done || is == Status::archived);
    if ((stays_done && found->second.completed_at != was.completed_at) ||
        (is == Status::done && !found->second.completed_at)) {
      find(id + " has lost the time at which it was completed");
    }
    if (now.open_runs.count(id) != (is == Status::running ? 1 : 0)) {
      find(fmt::format("{} is {} and has {} open runs", id, to_word(is), now.open_runs.count(id)));
    }
  }
  if (now.tasks.size() > before_.tasks.size() && !may.creates) {
    find("a task has appeared");
  }
  std::map<Status, std::int64_t> counted;
  for (const auto& [id, task] : now.tasks) {
    ++counted[task.status];
  }
  auto stats = board_.read([](db::Reader& tx) { return board::stats(tx); });
  for (const Status status : {Status::todo, Status::ready, Status::running, Status::done}) {
    if (stats.by_status[status] != counted[status]) {
      find(fmt::format("the statistics count {} tasks that are {}, there are {}",
                       stats.by_status[status], to_word(status), counted[status]));
    }
  }
}

// Once satisfied, for good.
void Walk::check_links(const Picture& now, const May& may) {
  for (const auto& [ends, satisfied] : before_.links) {
    const auto& [parent, child] = ends;
    const auto found = now.links.find(ends);
    if (found == now.links.end()) {
      const bool removed = may.removes && (parent == may.target || child == may.target);
      if (!removed && !(may.unlinks == parent && child == may.target)) {
        find(fmt::format("the link {} -> {} is gone", parent, child));
      }
    } else if (satisfied && !found->second && !(may.reopens && parent == may.target)) {
      find(fmt::format("the link {} -> {} was satisfied and is open again", parent, child));
    }
  }
  for (const auto& [ends, satisfied] : now.links) {
    const auto& [parent, child] = ends;
    if (!satisfied && now.tasks.at(parent).status == Status::done) {
      find(fmt::format("{} is done and {} still waits for it", parent, child));
    }
    const Status waits = now.tasks.at(child).status;
    if (!satisfied && (waits == Status::ready || waits == Status::review)) {
      find(fmt::format("{} is {} and waits for {}", child, to_word(waits), parent));
    }
  }
}

// What was acknowledged is there as long as its task is.
void Walk::check_kept(const Picture& now) {
  const auto kept = [&](const auto& known, const std::set<std::int64_t>& ids,
                        const std::string& what) {
    for (const auto& [id, task] : known) {
      if (now.tasks.contains(task) && !ids.contains(id)) {
        find(fmt::format("{} {} of {} is lost", what, id, task));
      }
    }
  };
  kept(comments_, now.comments, "comment");
  kept(attachments_, now.attachments, "attachment");
  std::map<std::int64_t, std::string> runs;
  for (const auto& [id, run] : runs_) {
    runs.emplace(id, run.task_id);
  }
  kept(runs, now.runs, "run");
}

}  // namespace hermes::test
