#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

// One line per item that went well; the others are told on standard error.
template <class Line>
std::string lines(const Json& value, const char* good, Line line) {
  std::string out;
  for (const Json& item : items_of(value)) {
    if (item.value(good, false)) {
      out += line(item) + "\n";
    }
  }
  return out;
}

std::string reason_text(const Json& item) {
  return item["reason"].is_null() ? "" : ": " + shown(item["reason"]);
}

// Said only when the process outlived the wait, or nobody waited for it.
std::string stopping_text(const Json& item) {
  return item.value("stopping", false) && !item.value("gone", false)
             ? " (its worker is told to stop)"
             : "";
}

std::string specified_line(const Json& item) {
  const std::string retitled =
      item["new_title"].is_null() ? "" : fmt::format(" — retitled: {}", shown(item["new_title"]));
  return fmt::format("Specified {} → {}{}", shown(item["task_id"]), shown(item["status"]),
                     retitled);
}

std::string nothing_in_triage(const verbs::Answer& answer) {
  return answer.value["passed_over"] == 0 ? "Nothing is in triage\n" : "Nothing in triage is due\n";
}

}  // namespace

std::string print_claimed(const verbs::Answer& answer, const Style&) {
  return fmt::format("Claimed {}\nWorkspace: {}\n", shown(answer.value["task_id"]),
                     shown(answer.value["workspace"]));
}

std::string print_heartbeat(const verbs::Answer& answer, const Style&) {
  return fmt::format("Heartbeat recorded for {}\n", shown(answer.value["task_id"]));
}

std::string print_completed(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    const auto kept =
        static_cast<std::int64_t>(item["artifacts"].size() - item["unverified"].size());
    return fmt::format("Completed {}{}{}", shown(item["task_id"]),
                       kept == 0 ? "" : fmt::format(" ({} kept)", counted(kept, "file")),
                       stopping_text(item));
  });
}

std::string print_blocked(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    const std::string id = shown(item["task_id"]);
    if (item["status"] == "todo") {
      return fmt::format("{} → todo (dependency wait){}", id, reason_text(item));
    }
    if (item["status"] == "triage") {
      return fmt::format("{} → triage (its workers block it again and again){}", id,
                         reason_text(item));
    }
    return fmt::format("Blocked {}{}{}", id, reason_text(item), stopping_text(item));
  });
}

std::string print_unblocked(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    const std::string to =
        item["status"] == "ready" ? "" : fmt::format(" → {}", shown(item["status"]));
    return fmt::format("Unblocked {}{}", shown(item["task_id"]), to);
  });
}

std::string print_promoted(const verbs::Answer& answer, const Style&) {
  std::string out;
  for (const Json& item : items_of(answer.value)) {
    if (!item["error"].is_null()) {
      continue;
    }
    const bool dry = item["dry_run"] == true;
    out += fmt::format("{} {} -> ready{}{}\n", dry ? "Would promote" : "Promoted",
                       shown(item["task_id"]), dry ? " (dry)" : "", reason_text(item));
  }
  return out;
}

std::string print_reclaimed(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    if (const std::string outcome = item.value("outcome", "reclaimed"); outcome != "reclaimed") {
      return fmt::format("{} is {}: its worker's verdict ({}) came first", shown(item["task_id"]),
                         shown(item["status"]), outcome);
    }
    if (item["status"] == "archived") {  // which somebody has asked for meanwhile
      return fmt::format("{} is archived now", shown(item["task_id"]));
    }
    return fmt::format("Reclaimed {}{}", shown(item["task_id"]), stopping_text(item));
  });
}

std::string print_specified(const verbs::Answer& answer, const Style&) {
  if (!answer.value.is_array() && !answer.value.contains("task_id")) {
    return nothing_in_triage(answer);
  }
  return lines(answer.value, "ok", specified_line);
}

std::string print_decomposed(const verbs::Answer& answer, const Style&) {
  if (!answer.value.is_array() && !answer.value.contains("task_id")) {
    return nothing_in_triage(answer);
  }
  return lines(answer.value, "ok", [](const Json& item) {
    if (item["fanout"] == false) {
      return specified_line(item);
    }
    std::string ids;
    for (const Json& id : item["child_ids"]) {
      ids += (ids.empty() ? "" : ", ") + shown(id);
    }
    const std::size_t number = item["child_ids"].size();
    return fmt::format("Decomposed {} → {} {} ({}); root promoted to {}", shown(item["task_id"]),
                       number, number == 1 ? "child" : "children", ids, shown(item["status"]));
  });
}

std::string print_scheduled(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    const std::string when =
        item["wake_at"].is_null() ? "" : fmt::format(" for {}", minute(item["wake_at"]));
    return fmt::format("Scheduled {}{}{}{}", shown(item["task_id"]), when, reason_text(item),
                       stopping_text(item));
  });
}

std::string print_review_requested(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    return fmt::format("{} → {} (review by {}){}{}", shown(item["task_id"]), shown(item["status"]),
                       shown(item["reviewer"], "a person"), reason_text(item), stopping_text(item));
  });
}

std::string print_changes_requested(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    return fmt::format("{} → {} (changes requested){}{}", shown(item["task_id"]),
                       shown(item["status"]), reason_text(item), stopping_text(item));
  });
}

std::string print_review_reopened(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    std::string line = fmt::format("{} → {} (review reopened){}", shown(item["task_id"]),
                                   shown(item["status"]), reason_text(item));
    for (const Json& child : item["waiting_again"]) {
      line += fmt::format("\n  {} waits for it again", shown(child));
    }
    return line;
  });
}

std::string print_edited(const verbs::Answer& answer, const Style&) {
  std::string fields;
  for (const Json& field : answer.value["changed"]) {
    fields += (fields.empty() ? ": " : ", ") + shown(field);
  }
  return fmt::format("Edited {}{}\n", shown(answer.value["task_id"]),
                     fields.empty() ? " (nothing was different)" : fields);
}

std::string print_model(const verbs::Answer& answer, const Style&) {
  const Json& task = answer.value["task"];
  return fmt::format("Model of {}: {}, provider: {}\n", shown(answer.value["task_id"]),
                     shown(task["model_override"], "(its worker's own)"),
                     shown(task["provider_override"], "(its worker's own)"));
}

std::string print_archived(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    if (item.value("deleted", false)) {
      return fmt::format("Deleted {}", shown(item["task_id"]));
    }
    std::string line = fmt::format("Archived {}{}", shown(item["task_id"]), stopping_text(item));
    for (const Json& child : item["waiting_children"]) {
      line +=
          fmt::format("\n  {} is left waiting for it: `hermes kanban unlink {} {}` lets it go on",
                      shown(child), shown(item["task_id"]), shown(child));
    }
    return line;
  });
}

std::string print_assigned(const verbs::Answer& answer, const Style&) {
  return lines(answer.value, "ok", [](const Json& item) {
    return fmt::format("Assigned {} to {}{}{}", shown(item["task_id"]),
                       shown(item["assignee"], "(unassigned)"),
                       item["reclaimed"] == true ? " (claim reclaimed)" : "", stopping_text(item));
  });
}

std::string print_commented(const verbs::Answer& answer, const Style&) {
  return fmt::format("Comment added to {}\n", shown(answer.value["task_id"]));
}

std::string print_linked(const verbs::Answer& answer, const Style&) {
  return fmt::format("Linked {} -> {}{}\n", shown(answer.value["parent_id"]),
                     shown(answer.value["child_id"]),
                     answer.value["existing"] == true ? " [existing]" : "");
}

std::string print_unlinked(const verbs::Answer& answer, const Style&) {
  return fmt::format("Unlinked {} -> {}\n", shown(answer.value["parent_id"]),
                     shown(answer.value["child_id"]));
}

}  // namespace hermes::cli
