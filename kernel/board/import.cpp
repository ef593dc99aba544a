#include "kernel/board/import.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "kernel/base/ids.hpp"
#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/import_values.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/links.hpp"
#include "kernel/rules/moves.hpp"

namespace hermes::board {

namespace {

constexpr std::size_t k_ids_per_note = 10;

// Why the board cannot store a text faithfully; nothing when it can. The words are the same for
// every task, so that reports can be grouped by them.
std::optional<std::string> problem_of(std::string_view what, std::string_view text,
                                      std::size_t most) {
  if (text.size() > most) {
    return fmt::format("{} is longer than {} bytes", what, most);
  }
  if (!is_utf8(text)) {
    return fmt::format("{} is not UTF-8", what);
  }
  if (text.find('\0') != std::string_view::npos) {
    return fmt::format("{} holds a NUL byte", what);
  }
  return std::nullopt;
}

// What a task cannot be without: if one of these cannot be stored, neither can the task.
std::optional<std::string> refusal_of(const ImportedTask& imported) {
  const Task& task = imported.task;
  if (task.title.empty()) {
    return "the title is blank";
  }
  struct Text {
    std::string_view what;
    std::string_view text;
    std::size_t most;
  };
  const std::string body = task.body.value_or("");
  for (const Text& text :
       {Text{"the id", imported.source_id, k_name_bytes},
        Text{"the title", task.title, k_title_bytes}, Text{"the body", body, k_body_bytes},
        Text{"the assignee", task.assignee, k_name_bytes},
        Text{"the tenant", task.tenant, k_name_bytes}}) {
    if (auto problem = problem_of(text.what, text.text, text.most)) {
      return problem;
    }
  }
  return std::nullopt;
}

// An optional text that cannot be stored is left out and reported, with `id` for whose it was.
void keep_if_storable(std::optional<std::string>& text, std::string_view what, std::size_t most,
                      const std::string& id, Findings& findings) {
  if (!text) {
    return;
  }
  if (const auto problem = problem_of(what, *text, most)) {
    findings.skip(id, *problem + ": left out");
    text.reset();
  }
}

void admit_fields(ImportedTask& imported, Findings& findings) {
  Task& task = imported.task;
  const std::string& id = imported.source_id;
  keep_if_storable(task.result, "the result", k_text_bytes, id, findings);
  keep_if_storable(task.idempotency_key, "the idempotency key", k_name_bytes, id, findings);
  keep_if_storable(task.origin, "the session", k_name_bytes, id, findings);
  keep_if_storable(task.workspace_path, "the workspace path", k_path_bytes, id, findings);
  keep_if_storable(task.branch, "the branch", k_name_bytes, id, findings);
  keep_if_storable(task.workflow_template_id, "the workflow", k_name_bytes, id, findings);
  keep_if_storable(task.step_key, "the workflow step", k_name_bytes, id, findings);
  keep_if_storable(task.last_failure, "the last failure", k_text_bytes, id, findings);
  keep_if_storable(task.block_reason, "the reason of the block", k_text_bytes, id, findings);
  std::optional<std::string> creator = task.created_by;
  keep_if_storable(creator, "the creator", k_name_bytes, id, findings);
  task.created_by = creator.value_or("");
  if (task.workspace_kind == WorkspaceKind::dir && !task.workspace_path) {
    task.workspace_kind = WorkspaceKind::scratch;
  }
  if (task.priority > k_most_priority || task.priority < -k_most_priority) {
    findings.note("the priority is out of range: the largest that is possible instead", id);
    task.priority = std::clamp(task.priority, -k_most_priority, k_most_priority);
  }
}

void admit_runs(ImportedTask& imported, Findings& findings) {
  for (ImportedRun& item : imported.runs) {
    Run& run = item.run;
    const std::string id = fmt::format("{} run {}", imported.source_id, item.key);
    keep_if_storable(run.summary, "the summary", k_text_bytes, id, findings);
    keep_if_storable(run.metadata, "the metadata", k_metadata_bytes, id, findings);
    keep_if_storable(run.error, "the error", k_text_bytes, id, findings);
    keep_if_storable(run.step_key, "the workflow step", k_name_bytes, id, findings);
    std::optional<std::string> profile = run.profile;
    keep_if_storable(profile, "the profile", k_name_bytes, id, findings);
    run.profile = profile.value_or("");
  }
}

void admit_history(ImportedTask& imported, Findings& findings) {
  std::erase_if(imported.comments, [&](ImportedComment& comment) {
    comment.body = std::string(trim(comment.body));
    auto problem = comment.body.empty() ? std::optional<std::string>("a comment is blank")
                                        : problem_of("a comment", comment.body, k_text_bytes);
    if (!problem) {
      problem = problem_of("the author of a comment", comment.author, k_name_bytes);
    }
    if (problem) {
      findings.skip(imported.source_id, *problem + ": left out");
    }
    return problem.has_value();
  });
  std::erase_if(imported.files, [&](ImportedFile& file) {
    auto problem = problem_of("the name of an attachment", file.name, k_path_bytes);
    if (!file.content_type.empty() && !check_content_type(file.content_type)) {
      file.content_type.clear();
      findings.note("the type of an attachment is none: guessed by its name", imported.source_id);
    }
    if (!problem) {
      problem = problem_of("who added an attachment", file.added_by, k_name_bytes);
    }
    if (problem) {
      findings.skip(imported.source_id, *problem + ": left out");
    }
    return problem.has_value();
  });
  std::erase_if(imported.events, [&](const ImportedEvent& event) {
    auto problem = event.kind.empty() ? std::optional<std::string>("an event has no kind")
                                      : problem_of("an event's kind", event.kind, k_name_bytes);
    if (!problem) {
      problem = problem_of("an event's payload", event.payload, k_metadata_bytes);
    }
    if (problem) {
      findings.skip(imported.source_id, *problem + ": left out");
    }
    return problem.has_value();
  });
}

// By which a second import knows a task: ids were short once and differ between boards only
// together with the moment of creation, or, where that is not told, with the title.
std::string fact_of(const ImportedTask& imported) {
  return imported.source_created
             ? fmt::format("import:{}:{}", imported.source_id, imported.source_created->ms)
             : fmt::format("import:{}:{:016x}", imported.source_id, fnv1a(imported.task.title));
}

class Planning {
 public:
  Planning(db::Reader& tx, Instant now, const Limits& limits)
      : tx_(tx), now_(now), limits_(limits) {}

  ImportPlan plan(ImportedBoard board) {
    plan_.origin = std::move(board.origin);
    plan_.report.findings = std::move(board.findings);
    for (ImportedTask& imported : board.tasks) {
      take(std::move(imported));
    }
    std::vector<std::vector<std::size_t>> children(plan_.tasks.size());
    for (std::size_t to = 0; to < plan_.tasks.size(); ++to) {
      find_links(to, children);
    }
    drop_cycles(children);
    for (auto& task : plan_.tasks) {
      settle(task);
    }
    settle_links();
    count();
    return std::move(plan_);
  }

 private:
  void take(ImportedTask imported) {
    const std::string fact = fact_of(imported);
    auto row = tx_.query("SELECT value FROM board_facts WHERE name = $1", fact);
    if (row.next()) {
      ++plan_.report.existing;
      before_.emplace(imported.source_id, row.text(0));
      take_files(std::move(imported), row.text(0));
      return;
    }
    Task& task = imported.task;
    if (is_task_id(imported.source_id) && !find_task(tx_, imported.source_id)) {
      task.id = imported.source_id;
    }
    places_.emplace(imported.source_id, plan_.tasks.size());
    plan_.facts.push_back(fact);
    plan_.tasks.push_back(std::move(imported));
  }

  // An earlier import may have been killed before it had copied them.
  void take_files(ImportedTask imported, const std::string& task_id) {
    if (!find_task(tx_, task_id)) {
      return;  // deleted since
    }
    for (ImportedFile& file : imported.files) {
      file.task_id = task_id;
      plan_.report.files_of_existing.push_back(std::move(file));
    }
  }

  void find_links(std::size_t to, std::vector<std::vector<std::size_t>>& children) {
    const ImportedTask& child = plan_.tasks[to];
    std::set<std::string> seen;
    for (const std::string& parent : child.parents) {
      const auto refuse = [&](std::string reason) {
        plan_.report.findings.skip(fmt::format("{} -> {}", parent, child.source_id),
                                   std::move(reason));
      };
      if (!seen.insert(parent).second) {
        continue;
      }
      if (parent == child.source_id) {
        refuse("a link of a task to itself");
      } else if (const auto found = places_.find(parent); found != places_.end()) {
        children[found->second].push_back(to);
      } else if (const auto earlier = before_.find(parent); earlier == before_.end()) {
        refuse(std::string(k_stray_link));
      } else if (const auto task = find_task(tx_, earlier->second); !task) {
        refuse("a link to a task that was imported before and deleted since");
      } else {
        plan_.links.push_back(
            {task->id, 0, to, LinkCondition::done, rules::satisfies(LinkCondition::done, *task)});
      }
    }
  }

  // A link that leads back to a task on the way to it closes a cycle and is left out; what remains
  // has none (Tarjan's depth-first search, here without recursion: chains may be long).
  void drop_cycles(const std::vector<std::vector<std::size_t>>& children) {
    enum class Colour { white, grey, black };
    std::vector<Colour> colours(children.size(), Colour::white);
    struct Visit {
      std::size_t task;
      std::size_t next = 0;
    };
    for (std::size_t root = 0; root < children.size(); ++root) {
      if (colours[root] != Colour::white) {
        continue;
      }
      std::vector<Visit> way{{root}};
      colours[root] = Colour::grey;
      while (!way.empty()) {
        Visit& visit = way.back();
        if (visit.next == children[visit.task].size()) {
          colours[visit.task] = Colour::black;
          way.pop_back();
          continue;
        }
        const std::size_t from = visit.task;
        const std::size_t to = children[from][visit.next++];
        if (colours[to] == Colour::grey) {
          plan_.report.findings.skip(
              fmt::format("{} -> {}", plan_.tasks[from].source_id, plan_.tasks[to].source_id),
              "a link that closes a cycle");
          continue;
        }
        plan_.links.push_back({"", from, to, LinkCondition::done, false});
        if (colours[to] == Colour::white) {
          colours[to] = Colour::grey;
          way.push_back({to});
        }
      }
    }
  }

  void settle(ImportedTask& imported) {
    Task& task = imported.task;
    Findings& findings = plan_.report.findings;
    task.assignee = to_lower(task.assignee);
    task.lane = task.status == Status::review ? Lane::review : Lane::work;
    const bool startable = task.status == Status::ready || task.status == Status::review ||
                           task.status == Status::todo;
    if (startable && task.failures >= task.failure_limit.value_or(limits_.failure_limit)) {
      findings.note("its failures had reached the limit although it was not blocked: counted anew",
                    imported.source_id);
      task.failures = 0;
    }
    if (task.idempotency_key && task.status != Status::archived) {
      auto row =
          tx_.query("SELECT 1 FROM tasks WHERE idempotency_key = $1 AND status <> 'archived'",
                    *task.idempotency_key);
      if (row.next() || !keys_.insert(*task.idempotency_key).second) {
        findings.note("another live task has its idempotency key: left out", imported.source_id);
        task.idempotency_key.reset();
      }
    }
  }

  // The predecessor let an archived parent release its children: such a link waits for the end
  // only.
  void settle_links() {
    std::vector<bool> open(plan_.tasks.size(), false);
    for (ImportPlan::Link& link : plan_.links) {
      if (link.parent.empty()) {
        const Task& parent = plan_.tasks[link.from].task;
        link.condition =
            parent.status == Status::archived ? LinkCondition::ended : LinkCondition::done;
        link.satisfied = rules::satisfies(link.condition, parent);
      }
      open[link.to] = open[link.to] || !link.satisfied;
    }
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      ImportedTask& imported = plan_.tasks[i];
      Task& task = imported.task;
      if (task.status != Status::ready && task.status != Status::review &&
          task.status != Status::todo) {
        continue;
      }
      const Status there = task.status;
      task.status = rules::requeue_target(task.lane, open[i]);
      if (there == Status::todo && task.status != Status::todo) {
        plan_.report.findings.note("was todo and waits for nothing: ready", imported.source_id);
      }
      if (task.status != Status::todo) {  // the order of starts stays that of creation
        task.ready_since = task.eligible_at = std::min(task.created_at, now_);
      }
    }
  }

  void count() {
    ImportReport& report = plan_.report;
    report.tasks = static_cast<std::int64_t>(plan_.tasks.size());
    report.links = static_cast<std::int64_t>(plan_.links.size());
    for (const ImportedTask& imported : plan_.tasks) {
      report.comments += static_cast<std::int64_t>(imported.comments.size());
      report.events += static_cast<std::int64_t>(imported.events.size());
      report.runs += static_cast<std::int64_t>(imported.runs.size());
      if (imported.task.id.empty()) {
        report.renamed.emplace_back(imported.source_id, "");
      }
      report.files.insert(report.files.end(), imported.files.begin(), imported.files.end());
    }
  }

  db::Reader& tx_;
  Instant now_;
  const Limits& limits_;
  ImportPlan plan_;
  std::unordered_map<std::string, std::size_t> places_;  // of the plan's tasks, by source id
  std::unordered_map<std::string, std::string> before_;  // source id to id here
  std::set<std::string> keys_;
};

// Ids that the sources gave are kept first, so that no drawn one takes their place.
Result<void> draw_ids(Change& change, ImportPlan& plan) {
  std::set<std::string> taken;
  for (const ImportedTask& imported : plan.tasks) {
    taken.insert(imported.task.id);
  }
  plan.report.renamed.clear();
  for (ImportedTask& imported : plan.tasks) {
    constexpr int k_most_tries = 100;
    for (int i = 0; imported.task.id.empty() && i < k_most_tries; ++i) {
      const std::string id = new_task_id(change.random);
      if (!find_task(change.tx, id) && taken.insert(id).second) {
        imported.task.id = id;
        plan.report.renamed.emplace_back(imported.source_id, id);
      }
    }
    if (imported.task.id.empty()) {
      return fail(ErrorCode::internal, "no free task id was found", "try again");
    }
  }
  return {};
}

// What comes from elsewhere was perhaps never masked.
void mask_texts(ImportedTask& imported) {
  Task& task = imported.task;
  const auto mask = [](std::optional<std::string>& text) {
    if (text) {
      text = mask_secrets(*text);
    }
  };
  task.title = mask_secrets(task.title);
  task.body = body_to_store(task.body);
  mask(task.result);
  mask(task.block_reason);
  mask(task.last_failure);
  for (ImportedComment& comment : imported.comments) {
    comment.body = mask_secrets(comment.body);
  }
  for (ImportedRun& run : imported.runs) {
    mask(run.run.summary);
    mask(run.run.error);
    if (auto metadata = metadata_to_store(run.run.metadata)) {
      run.run.metadata = *std::move(metadata);
    }
  }
}

void insert_task(Change& change, const Task& task) {
  change.tx.execute(
      "INSERT INTO tasks (id, title, body, status, lane, assignee, tenant, priority, created_by,"
      " origin, created_at, updated_at, ready_since, eligible_at, completed_at, workspace_kind,"
      " workspace_path, branch, idempotency_key, max_runtime_ms, failure_limit, failures,"
      " last_failure, block_source, block_kind, block_reason, block_streak, block_total, skills,"
      " worker_options, goal_mode, goal_max_turns, workflow_template_id, step_key, result)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
      " $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)",
      task.id, task.title, task.body, task.status, task.lane, task.assignee, task.tenant,
      task.priority, task.created_by, task.origin, task.created_at, task.updated_at,
      task.ready_since, task.eligible_at, task.completed_at, task.workspace_kind,
      task.workspace_path, task.branch, task.idempotency_key, task.max_runtime, task.failure_limit,
      task.failures, task.last_failure, task.block_source, task.block_kind, task.block_reason,
      task.block_streak, task.block_total, task.skills, task.worker_options, task.goal_mode,
      task.goal_max_turns, task.workflow_template_id, task.step_key, task.result);
}

std::int64_t insert_run(Change& change, const std::string& task, std::int64_t attempt,
                        const Run& run) {
  change.tx.execute(
      "INSERT INTO runs (task_id, attempt, profile, token, holder_kind, host, boot, started_at,"
      " heartbeat_at, ended_at, gone_at, outcome, step_key, summary, metadata, error)"
      " VALUES ($1, $2, $3, $4, $5, '', '', $6, $7, $8, $9, $10, $11, $12, $13, $14)",
      task, attempt, run.profile, new_run_token(change.random), HolderKind::external,
      run.started_at, run.heartbeat_at, run.ended_at, run.gone_at, run.outcome, run.step_key,
      run.summary, run.metadata, run.error);
  return change.tx.last_insert_id();
}

void insert_history(Change& change, const ImportPlan& plan, const ImportedTask& imported) {
  const Task& task = imported.task;
  for (const ImportedComment& comment : imported.comments) {
    change.tx.execute("INSERT INTO comments (task_id, author, body, at) VALUES ($1, $2, $3, $4)",
                      task.id, comment.author.empty() ? "unknown" : comment.author, comment.body,
                      comment.at);
  }
  std::unordered_map<std::string, std::int64_t> runs;
  std::int64_t attempt = 0;
  for (const ImportedRun& run : imported.runs) {
    const std::int64_t id = insert_run(change, task.id, ++attempt, run.run);
    if (!run.key.empty()) {
      runs.emplace(run.key, id);
    }
  }
  for (const ImportedEvent& event : imported.events) {
    const auto run = runs.find(event.run_key);
    append_imported_event(change, task.id,
                          run == runs.end() ? std::nullopt : std::optional(run->second),
                          {event.kind, event.payload, event.at});
  }
  append_event(change, task.id, std::nullopt, EventKind::imported,
               dump({{"source", plan.origin},
                     {"source_id", imported.source_id},
                     {"source_status", imported.source_status},
                     {"to", to_word(task.status)}}));
}

}  // namespace

void Findings::skip(std::string id, std::string reason) {
  skipped_.push_back({std::move(id), std::move(reason)});
}

void Findings::note(const std::string& text, const std::string& id) {
  Note& note = note_of(text);
  ++note.count;
  if (note.ids.size() < k_ids_per_note) {
    note.ids.push_back(id);
  }
}

void Findings::note(const std::string& text, std::int64_t count) {
  if (count > 0) {
    note_of(text).count += count;
  }
}

Findings::Note& Findings::note_of(const std::string& text) {
  const auto found = std::ranges::find(notes_, text, &Note::text);
  return found != notes_.end() ? *found : notes_.emplace_back(Note{text, 0, {}});
}

void admit(ImportedBoard& board) {
  std::vector<ImportedTask> admitted;
  for (ImportedTask& imported : board.tasks) {
    imported.task.title = std::string(trim(imported.task.title));
    if (const auto refusal = refusal_of(imported)) {
      board.findings.skip(
          is_utf8(imported.source_id) ? std::string(clip(imported.source_id, k_name_bytes)) : "",
          *refusal);
      continue;
    }
    admit_fields(imported, board.findings);
    admit_runs(imported, board.findings);
    admit_history(imported, board.findings);
    admitted.push_back(std::move(imported));
  }
  board.tasks = std::move(admitted);
}

ImportPlan plan_import(db::Reader& tx, ImportedBoard board, Instant now, const Limits& limits) {
  return Planning(tx, now, limits).plan(std::move(board));
}

Result<ImportReport> carry_out(Change& change, ImportPlan plan) {
  if (change.actor.worker) {
    return fail(ErrorCode::forbidden, "a worker does not import boards",
                "import it from outside of a worker");
  }
  TRY(draw_ids(change, plan));
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    mask_texts(plan.tasks[i]);
    insert_task(change, plan.tasks[i].task);
    change.tx.execute("INSERT INTO board_facts (name, value, at) VALUES ($1, $2, $3)",
                      plan.facts[i], plan.tasks[i].task.id, change.now);
  }
  for (const ImportPlan::Link& link : plan.links) {
    change.tx.execute(
        "INSERT INTO links (parent_id, child_id, condition, satisfied_at) VALUES ($1, $2, $3, $4)",
        link.parent.empty() ? plan.tasks[link.from].task.id : link.parent,
        plan.tasks[link.to].task.id, link.condition,
        link.satisfied ? std::optional(change.now) : std::nullopt);
  }
  plan.report.files.clear();
  for (ImportedTask& imported : plan.tasks) {
    insert_history(change, plan, imported);
    for (ImportedFile& file : imported.files) {
      file.task_id = imported.task.id;
      plan.report.files.push_back(std::move(file));
    }
  }
  return std::move(plan.report);
}

}  // namespace hermes::board
