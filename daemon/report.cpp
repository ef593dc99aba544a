#include "daemon/report.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/why.hpp"
#include "kernel/home/profile.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::daemon {

namespace {

constexpr std::int64_t k_page = 1000;
constexpr std::int64_t k_most_skipped = 50;  // named per reason and board

using nlohmann::json;

Result<db::Database> open(const home::Home& home, const std::string& slug) {
  return db::Database::open(home::files_of(home.board(slug)), db::Database::Access::read,
                            wall_clock_now());
}

// Its supervisor was let go. What became of its worker the run knows.
void add_spawned(json& report, db::Reader& tx, const board::WatchedEvent& watched) {
  const std::string id = watched.event.task_id.value_or("");
  const auto run = watched.event.run_id ? board::find_run(tx, *watched.event.run_id) : std::nullopt;
  if (run && (run->outcome == Outcome::spawn_failed || run->outcome == Outcome::aborted)) {
    return;  // told as that
  }
  if (run && !run->worker_pid && !run->ended_at) {
    report["starting"].push_back(id);
    return;
  }
  report["spawned"].push_back(
      {{"task_id", id},
       {"assignee", run ? run->profile : watched.assignee},
       {"workspace", run && run->workspace_path ? json(*run->workspace_path) : json()}});
}

void add_event(json& report, db::Reader& tx, const board::WatchedEvent& watched) {
  const Event& event = watched.event;
  const std::string id = event.task_id.value_or("");
  if (event.kind == "reclaimed" || event.kind == "promoted") {
    report[event.kind] = report[event.kind].get<int>() + 1;
  } else if (event.kind == "woken") {
    report["woken"].push_back(id);
  } else if (event.kind == "gave_up") {
    report["auto_blocked"].push_back(id);
  } else if (event.kind == "spawned") {
    add_spawned(report, tx, watched);
  } else if (event.kind == "assigned") {
    report["auto_assigned_default"].push_back(id);
  } else if (report.contains(event.kind) && report[event.kind].is_array()) {
    report[event.kind].push_back(id);
  }
}

// The limit of a profile's live workers, its own or the configured one.
std::optional<std::int64_t> cap_of(const home::Home& home, const std::string& profile,
                                   const Limits& limits) {
  const auto loaded = home::load_profile(home, profile);
  return loaded && loaded->max_in_progress ? loaded->max_in_progress
                                           : limits.max_in_progress_per_profile;
}

std::string ids(const json& list) {
  std::string text;
  for (const json& id : list) {
    text += (text.empty() ? "" : ", ") + id.get<std::string>();
  }
  return text;
}

std::string for_people(const json& report) {
  const auto count = [&](const char* key) {
    return report[key].is_array() ? report[key].size() : report[key].get<std::size_t>();
  };
  std::string text = report["dry_run"] == true ? "Dry run: nothing was changed.\n" : "";
  const std::pair<const char*, const char*> rows[] = {{"Completed:", "completed"},
                                                      {"Reclaimed:", "reclaimed"},
                                                      {"Crashed:", "crashed"},
                                                      {"Failed:", "failed"},
                                                      {"Timed out:", "timed_out"},
                                                      {"Stale:", "stale"},
                                                      {"Not started:", "spawn_failed"},
                                                      {"Aborted:", "aborted"},
                                                      {"Auto-blocked:", "auto_blocked"},
                                                      {"Promoted:", "promoted"},
                                                      {"Woken:", "woken"},
                                                      {"Spawned:", "spawned"}};
  for (const auto& [label, key] : rows) {
    text += fmt::format("{:<13} {}\n", label, count(key));
  }
  for (const json& spawned : report["spawned"]) {
    text += fmt::format(
        "  - {}  ->  {}  @ {}\n", spawned["task_id"].get<std::string>(),
        printable(spawned["assignee"].get<std::string>()),
        spawned["workspace"].is_null() ? "-" : printable(spawned["workspace"].get<std::string>()));
  }
  if (!report["spawn_failed"].empty()) {
    text += fmt::format("Not started (`hermes kanban runs ID` says why): {}\n",
                        ids(report["spawn_failed"]));
  }
  if (!report["starting"].empty()) {
    text += fmt::format("Not seen alive yet: {}\n", ids(report["starting"]));
  }
  if (!report["skipped_unassigned"].empty()) {
    text += fmt::format("Skipped (unassigned): {}\n", ids(report["skipped_unassigned"]));
  }
  if (!report["skipped_nonspawnable"].empty()) {
    text += fmt::format("Skipped (no profile): {}\n", ids(report["skipped_nonspawnable"]));
  }
  if (!report["skipped_no_reviewer"].empty()) {
    text += fmt::format("Skipped (a person reviews): {}\n", ids(report["skipped_no_reviewer"]));
  }
  for (const json& capped : report["skipped_per_profile_capped"]) {
    text += fmt::format("Deferred ({} at its limit, {} running): {}\n",
                        printable(capped["assignee"].get<std::string>()),
                        capped["current"].get<int>(), capped["task_id"].get<std::string>());
  }
  return text;
}

}  // namespace

json empty_report(bool dry_run) {
  json report{{"reclaimed", 0}, {"promoted", 0}, {"dry_run", dry_run}};
  for (const char* list :
       {"completed", "failed", "crashed", "timed_out", "stale", "aborted", "rate_limited",
        "protocol_violation", "auto_blocked", "woken", "stopping", "spawned", "starting",
        "spawn_failed", "skipped_unassigned", "skipped_nonspawnable", "skipped_no_reviewer",
        "skipped_per_profile_capped", "auto_assigned_default"}) {
    report[list] = json::array();
  }
  return report;
}

void add_skipped(json& report, db::Reader& tx, const home::Home& home, const Limits& limits) {
  const auto names = home::list_profiles(home);
  const std::set<std::string> profiles(names.begin(), names.end());
  const auto ready = board::list_tasks(tx, {.status = Status::ready, .limit = k_most_skipped * 10});
  const auto running = board::running_by_profile(tx);
  for (const Task& task : *ready) {
    const char* reason =
        task.assignee.empty() && limits.default_assignee.empty()      ? "skipped_unassigned"
        : !task.assignee.empty() && !profiles.contains(task.assignee) ? "skipped_nonspawnable"
                                                                      : nullptr;
    const auto cap = task.assignee.empty() ? std::nullopt : cap_of(home, task.assignee, limits);
    const auto at_work = running.find(task.assignee);
    if (cap && at_work != running.end() && at_work->second >= *cap) {
      report["skipped_per_profile_capped"].push_back(
          {{"task_id", task.id}, {"assignee", task.assignee}, {"current", at_work->second}});
    }
    if (reason != nullptr && report[reason].size() < static_cast<std::size_t>(k_most_skipped)) {
      report[reason].push_back(task.id);
    }
  }
  if (limits.reviewer.empty()) {
    const auto review = board::list_tasks(tx, {.status = Status::review, .limit = k_most_skipped});
    for (const Task& task : *review) {
      report["skipped_no_reviewer"].push_back(task.id);
    }
  }
}

std::string report_text(const json& report, bool as_json) {
  return as_json ? printable_json(report.dump(2, ' ', false, json::error_handler_t::replace)) + "\n"
                 : for_people(report);
}

PassReport::PassReport(const home::Home& home) : home_(home) {
  for (const std::string& slug : home::list_boards(home)) {
    if (auto database = open(home, slug)) {
      const auto last = database->read(
          [](db::Reader& tx) -> Result<std::int64_t> { return board::last_event(tx); });
      before_[slug] = last.value_or(0);
    }
  }
}

std::string PassReport::text(const Limits& limits, bool as_json) const {
  json report = empty_report(false);
  for (const auto& [slug, before] : before_) {
    auto database = open(home_, slug);
    if (!database) {
      continue;
    }
    (void)database->read([&, cursor = before](db::Reader& tx) mutable -> Result<void> {
      for (bool more = true; more;) {
        const auto page = board::events_after(tx, cursor, k_page, {});
        for (const auto& watched : page.events) {
          add_event(report, tx, watched);
        }
        cursor = page.cursor;
        more = page.more;
      }
      add_skipped(report, tx, home_, limits);
      return {};
    });
  }
  return report_text(report, as_json);
}

}  // namespace hermes::daemon
