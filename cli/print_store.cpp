#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

// "812 bytes", "4.2 KiB", "25.0 MiB".
std::string size_text(std::int64_t bytes) {
  constexpr std::int64_t k_kib = 1024;
  if (bytes < k_kib) {
    return counted(bytes, "byte");
  }
  const double kib = static_cast<double>(bytes) / k_kib;
  return kib < k_kib ? fmt::format("{:.1f} KiB", kib) : fmt::format("{:.1f} MiB", kib / k_kib);
}

std::string aborted_note(const Json& runs) {
  return runs == 0 ? "" : fmt::format("{} closed as aborted.\n", counted(runs, "open run"));
}

}  // namespace

std::string attachment_lines(const Json& attachments) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : attachments) {
    rows.push_back({"#" + one["id"].dump(), shown(one["filename"]), shown(one["content_type"]),
                    size_text(one["size"].get<std::int64_t>()), shown(one["uploaded_by"]),
                    minute(one["created_at"]),
                    one["missing"] == true ? "(the file is missing)" : shown(one["stored_path"])});
  }
  return table(rows);
}

std::string print_board_renamed(const verbs::Answer& answer, const Style&) {
  return fmt::format("Board {} is called {}\n", shown(answer.value["slug"]),
                     shown(answer.value["name"]));
}

std::string print_board_workdir(const verbs::Answer& answer, const Style&) {
  const Json& path = answer.value["default_workdir"];
  return path.is_null()
             ? fmt::format("Board {} has no default workdir\n", shown(answer.value["slug"]))
             : fmt::format("Default workdir of board {}: {}\n", shown(answer.value["slug"]),
                           shown(path));
}

std::string print_board_removed(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  return value["action"] == "archived"
             ? fmt::format("Archived board {}: {}\n", shown(value["slug"]), shown(value["path"]))
             : fmt::format("Deleted board {} ({}, {})\n", shown(value["slug"]),
                           counted(value["files"], "file"),
                           size_text(value["bytes"].get<std::int64_t>()));
}

std::string print_board_exported(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  return fmt::format("Exported board {} to {} ({}, {}, {})\n", shown(value["board"]),
                     shown(value["file"]), size_text(value["bytes"].get<std::int64_t>()),
                     counted(value["attachments"], "attachment"), counted(value["logs"], "log"));
}

std::string print_board_imported(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  return fmt::format("Imported board {}: {} ({}, {}, {})\n{}", shown(value["slug"]),
                     shown(value["db_path"]), counted(value["tasks"], "task"),
                     counted(value["attachments"], "attachment"), counted(value["logs"], "log"),
                     aborted_note(value["aborted_runs"]));
}

std::string print_backup(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  return fmt::format("Backed up board {} to {} ({}, checked)\n", shown(value["board"]),
                     shown(value["file"]), size_text(value["bytes"].get<std::int64_t>()));
}

std::string print_restored(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  return fmt::format("Restored board {} from {} ({})\nThe board of before is kept in {}\n{}",
                     shown(value["board"]), shown(value["file"]), counted(value["tasks"], "task"),
                     shown(value["kept"]), aborted_note(value["aborted_runs"]));
}

std::string print_repaired(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  std::string out;
  for (const Json& part : value["restored_parts"]) {
    out += fmt::format("Put back {}\n", shown(part));
  }
  for (const Json& index : value["reindexed"]) {
    out += fmt::format("Built index {} anew\n", shown(index));
  }
  if (!value["kept"].is_null()) {
    out += fmt::format("The board as it was is kept in {}\n", shown(value["kept"]));
  }
  return out.empty()
             ? fmt::format("Board {} is sound, there is nothing to repair\n", shown(value["board"]))
             : out + fmt::format("Board {} is sound\n", shown(value["board"]));
}

std::string print_gc(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  const auto part = [&](const char* key, std::string_view noun) {
    return counted(value[key]["removed"], noun);
  };
  const bool dry = value["dry_run"] == true;
  std::string out = fmt::format("{}: {}, {}, {}", dry ? "GC would remove" : "GC complete",
                                part("workspaces", "workspace"), part("events", "event row"),
                                part("logs", "log file"));
  if (value["attachments"]["removed"] != 0) {
    out += ", " + part("attachments", "orphan attachment");
  }
  if (value["worktrees"]["removed"] != 0) {
    out += ", " + part("worktrees", "working tree");
  }
  if (value["leftovers"]["removed"] != 0) {
    out += fmt::format(", {} left by killed commands",
                       value["leftovers"]["removed"].dump() + " directories");
  }
  out += fmt::format("{} ({})\n", dry ? "" : " removed",
                     size_text(value["bytes"].get<std::int64_t>()));
  for (const Json& tree : dry ? value["worktrees"]["trees"] : Json::array()) {
    out += tree["stays"].is_null()
               ? fmt::format("  the working tree {} would go\n", shown(tree["path"]))
               : fmt::format("  {}\n", shown(tree["stays"]));
  }
  return out;
}

std::string print_attached(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  return fmt::format("Attached {} to {} (#{}, {} bytes)\n", shown(value["filename"]),
                     shown(value["task_id"]), value["id"].dump(), value["size"].dump());
}

std::string print_attachments(const verbs::Answer& answer, const Style&) {
  return answer.value.empty()
             ? fmt::format("(no attachments of {})\n", shown(answer.people["task_id"]))
             : attachment_lines(answer.value);
}

std::string print_attachment_removed(const verbs::Answer& answer, const Style&) {
  return fmt::format("Removed attachment #{} ({}) of {}\n", answer.value["id"].dump(),
                     shown(answer.value["filename"]), shown(answer.value["task_id"]));
}

}  // namespace hermes::cli
