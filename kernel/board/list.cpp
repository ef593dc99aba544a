#include <string>
#include <vector>

#include "kernel/board/rows.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

namespace {

// Each order is total (it ends in the id), and the common ones are indexes.
std::string_view order_of(Sort sort) {
  switch (sort) {
    case Sort::priority:
      return "t.priority DESC, t.created_at, t.id";
    case Sort::priority_asc:
      return "t.priority, t.created_at, t.id";
    case Sort::created:
      return "t.created_at, t.id";
    case Sort::created_desc:
      return "t.created_at DESC, t.id DESC";
    case Sort::status:
      return "t.status, t.priority DESC, t.created_at, t.id";
    case Sort::assignee:
      return "t.assignee, t.priority DESC, t.created_at, t.id";
    case Sort::title:
      return "t.title, t.id";
    case Sort::updated:
      return "t.updated_at DESC, t.id";
  }
  return "t.id";
}

}  // namespace

Result<std::vector<Task>> list_tasks(db::Reader& tx, const ListFilter& filter) {
  // Only the filters that are set become part of the text, so that each combination can use its
  // index.
  std::string sql = "SELECT " + k_task_columns + " FROM tasks t WHERE 1 = 1";
  const auto add = [&](bool set, std::string_view term) {
    if (set) {
      sql += " AND ";
      sql += term;
    }
  };
  add(!filter.archived && filter.status != Status::archived, "t.status <> 'archived'");
  add(filter.status.has_value(), "t.status = $1");
  add(filter.assignee.has_value(), "t.assignee = $2");
  add(filter.tenant.has_value(), "t.tenant = $3");
  add(filter.origin.has_value(), "t.origin = $4");
  add(filter.workflow_template_id.has_value(), "t.workflow_template_id = $5");
  add(filter.step_key.has_value(), "t.step_key = $6");
  sql += " ORDER BY ";
  sql += order_of(filter.sort);
  sql += " LIMIT $7";
  std::vector<Task> tasks;
  auto row =
      tx.query(sql, filter.status, filter.assignee, filter.tenant, filter.origin,
               filter.workflow_template_id, filter.step_key, filter.limit > 0 ? filter.limit : -1);
  while (row.next()) {
    tasks.push_back(read_task(row));
  }
  return tasks;
}

}  // namespace hermes::board
