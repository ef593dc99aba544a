#include "kernel/board/verdicts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "kernel/board/artifacts.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/remove.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/home/task_files.hpp"
#include "kernel/home/workspace.hpp"
#include "verbs/artifacts.hpp"
#include "verbs/goal.hpp"
#include "verbs/handlers.hpp"
#include "verbs/moving.hpp"
#include "verbs/shapes.hpp"
#include "verbs/trees.hpp"

namespace hermes::verbs {

namespace {

Json promoted_item(const std::string& id, bool promoted, bool dry_run,
                   const std::optional<std::string>& reason,
                   const std::optional<std::string>& error) {
  return {{"task_id", id},   {"promoted", promoted},      {"dry_run", dry_run},
          {"forced", false}, {"reason", or_null(reason)}, {"error", or_null(error)}};
}

// A scratch workspace goes with its task, once nothing of it runs any more. What is left behind
// when we are killed here is found by its marker later.
void remove_workspace(OpenBoard& open, const std::string& task_id) {
  const auto ours = open.database.read([&](db::Reader& tx) -> Result<bool> {
    TRY_ASSIGN(const Task task, board::get_task(tx, task_id));
    const auto runs = board::runs_of(tx, task_id);
    return task.status == Status::archived && task.workspace_kind == WorkspaceKind::scratch &&
           std::ranges::all_of(runs, [](const Run& run) { return run.gone_at.has_value(); });
  });
  if (ours && *ours) {
    home::remove_scratch(open.paths, task_id);
  }
}

}  // namespace

namespace {

// The files are there before their rows, and are kept only when those are committed together with
// the completion: whoever is killed in between leaves the task as it was, and files for gc.
Result<ItemDone> complete_one(OpenBoard& open, Call& call, const std::string& given,
                              board::Handoff handoff) {
  TRY_ASSIGN(std::vector<std::string> named, board::artifacts_in(handoff.metadata));
  std::ranges::copy(artifacts_of(call), std::back_inserter(named));
  Artifacts artifacts;
  if (!named.empty()) {
    TRY_ASSIGN(const std::string id, open.database.read([&](db::Reader& tx) -> Result<std::string> {
      TRY_ASSIGN(std::string found, board::resolve_id(tx, given));
      TRY(board::task_to_change(tx, open.actor, open.paths.slug, found));
      return found;
    }));
    handoff.metadata = board::with_artifacts(handoff.metadata, named);
    TRY_ASSIGN(named, board::artifacts_in(handoff.metadata));
    TRY_ASSIGN(artifacts, copy_artifacts(open, id, named));
    handoff.metadata = board::with_artifacts(handoff.metadata, artifacts.list);
  }
  auto done = move_one(
      open, call, given, [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
        for (const home::StoredFile& copy : artifacts.copies) {
          TRY(board::add_attachment(
              tx, {id, copy.name, home::content_type_of(copy.name), copy.size, ""}));
        }
        TRY_ASSIGN(const board::Moved moved,
                   board::complete(tx, id, handoff, call.values.flag("force")));
        return item_of(moved);
      });
  home::keep_unless_undone(artifacts.copies, done);
  TRY(done);
  done->report["artifacts"] = artifacts.list;
  done->report["unverified"] = artifacts.unverified;
  return done;
}

void tell_unverified(Answer& answer) {
  for (const Json& item : answer.value.is_array() ? answer.value : Json::array({answer.value})) {
    std::vector<std::string> paths;
    for (const Json& path : item.value("unverified", Json::array())) {
      paths.push_back(printable(path.get<std::string>()));
    }
    if (!paths.empty()) {
      answer.people_advice.push_back(
          "note: recorded, but not looked at and not copied, as it is "
          "outside the scratch workspace: " +
          join(paths, ", "));
    }
  }
}

}  // namespace

Result<Answer> complete(Call& call) {
  const std::vector<std::string> ids = call.values.list("task_ids");
  const bool of_one_run = call.values.has("summary") || call.values.has("metadata") ||
                          call.values.has("artifact") || call.values.has("created");
  if (ids.size() > 1 && of_one_run) {
    return fail(ErrorCode::usage,
                fmt::format("--summary, --metadata, --artifact and --created belong to one run, {} "
                            "tasks are named",
                            ids.size()),
                "complete them one by one, or use --result, which they may share");
  }
  const auto artifacts = call.values.list("artifact");
  if (std::ranges::any_of(artifacts, [](const std::string& one) { return trim(one).empty(); })) {
    return fail(ErrorCode::usage, "an artifact is empty: it is the path of a file",
                "is a variable of your script not set?");
  }
  TRY(pass_judge(call, ids, "complete", call.values.text_or("summary", "")));
  const board::Handoff handoff{call.values.text("summary"), call.values.text("result"),
                               call.values.json_object("metadata"), call.values.list("created")};
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(Answer answer,
             bulk(
                 call, open, ids,
                 [&](const std::string& given) { return complete_one(open, call, given, handoff); },
                 refused_item));
  tell_unverified(answer);
  return answer;
}

Result<Answer> block(Call& call) {
  const auto kind_word = call.values.text("kind");
  const auto kind = kind_word ? from_word<BlockKind>(*kind_word) : std::nullopt;
  const auto reason = not_blank(call.values.joined("reason"));
  TRY(pass_judge(call, ids_of(call), "block", reason.value_or("")));
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  return bulk(
      call, open, ids_of(call),
      [&](const std::string& given) {
        return move_one(open, call, given,
                        [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
                          TRY_ASSIGN(const board::Moved moved, board::block(tx, id, kind, reason));
                          ItemDone done = item_of(moved);
                          done.report["kind"] = or_null(kind_word);
                          done.report["reason"] = or_null(reason);
                          return done;
                        });
      },
      refused_item);
}

Result<Answer> unblock(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  return bulk(
      call, open, call.values.list("task_ids"),
      [&](const std::string& given) {
        return move_one(
            open, call, given, [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
              TRY_ASSIGN(
                  const board::Moved moved,
                  board::unblock(tx, id, call.values.text("reason"), call.values.flag("reset")));
              return item_of(moved);
            });
      },
      refused_item);
}

Result<Answer> promote(Call& call) {
  const bool dry_run = call.values.flag("dry-run");
  const auto reason = not_blank(call.values.joined("reason"));
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  return bulk(
      call, open, ids_of(call),
      [&](const std::string& given) {
        return move_one(
            open, call, given, [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
              TRY(board::promote(tx, id, reason, dry_run));
              return ItemDone{promoted_item(id, !dry_run, dry_run, reason, std::nullopt),
                              std::nullopt};
            });
      },
      [&](const std::string& given, const Error& error) {
        return promoted_item(given, false, dry_run, reason, error.message);
      });
}

Result<Answer> reclaim(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  return bulk(
      call, open, call.values.list("task_id"),
      [&](const std::string& given) {
        return move_one(open, call, given,
                        [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
                          TRY_ASSIGN(const board::Moved moved,
                                     board::reclaim(tx, id, call.values.text("reason")));
                          return item_of(moved);
                        });
      },
      refused_item);
}

namespace {

// The working tree of a task that was put away goes too, or is named with what keeps it.
void tell_tree(OpenBoard& open, const std::string& task_id, Answer& answer) {
  if (const auto end = end_tree(open, task_id, false); end && end->stays) {
    answer.advice.push_back("note: " + *end->stays);
  }
}

// A worker that was told to stop may have completed its task before: nobody waits for that.
void forget_children_of_the_done(Json& value) {
  const auto forget = [](Json& item) {
    if (item.value("status", "") == to_word(Status::done)) {
      item["waiting_children"] = Json::array();
    }
  };
  if (value.is_array()) {
    std::ranges::for_each(value, forget);
  } else {
    forget(value);
  }
}

// Rows first, in one transaction per task; its files once that is committed.
Result<Answer> remove_archived(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(Answer answer,
             bulk(
                 call, open, call.values.list("rm"),
                 [&](const std::string& given) {
                   return move_one(
                       open, call, given,
                       [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
                         TRY(board::remove_task(tx, id));
                         return ItemDone{
                             {{"task_id", id}, {"ok", true}, {"deleted", true}, {"error", nullptr}},
                             std::nullopt};
                       });
                 },
                 refused_item));
  std::set<std::string> deleted;
  for (const Json& item : answer.value.is_array() ? answer.value : Json::array({answer.value})) {
    if (item.value("ok", false)) {
      deleted.insert(item.value("task_id", ""));
    }
  }
  for (const std::string& id : deleted) {
    tell_tree(open, id, answer);
  }
  if (!home::remove_task_files(open.paths, deleted)) {
    answer.advice.push_back("note: some files of the deleted tasks could not be removed from " +
                            open.paths.dir.string());
  }
  return answer;
}

}  // namespace

Result<Answer> archive(Call& call) {
  const bool archives = !call.values.list("task_ids").empty();
  if (archives == call.values.has("rm")) {
    return fail(ErrorCode::invalid,
                archives ? "tasks to archive and tasks to delete are named in one call"
                         : "archive needs at least one task id",
                archives ? "archive them first, then `hermes kanban archive --rm ID`"
                         : "see `hermes kanban list` for the ids of this board");
  }
  if (!archives) {
    return remove_archived(call);
  }
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(Answer answer,
             bulk(
                 call, open, call.values.list("task_ids"),
                 [&](const std::string& given) {
                   return move_one(
                       open, call, given,
                       [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
                         TRY_ASSIGN(const board::Archived archived,
                                    board::archive(tx, id, call.values.flag("force")));
                         ItemDone done = item_of(archived.moved);
                         done.report["waiting_children"] = archived.waiting_children;
                         return done;
                       });
                 },
                 refused_item));
  forget_children_of_the_done(answer.value);
  for (const Json& item : answer.value.is_array() ? answer.value : Json::array({answer.value})) {
    const std::string id = item.value("task_id", "");
    remove_workspace(open, id);
    if (item.value("ok", false)) {
      tell_tree(open, id, answer);
    }
  }
  return answer;
}

}  // namespace hermes::verbs
