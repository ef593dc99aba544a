#include <fmt/core.h>

#include <map>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_ids_shown = 5;

std::string counted(const Json& imported, const char* what) {
  const auto n = imported[what].get<std::int64_t>();
  const std::string_view plural(what);
  return fmt::format("{} {}", n, n == 1 ? plural.substr(0, plural.size() - 1) : plural);
}

std::string finding(std::int64_t count, const std::string& text, const Json::array_t& ids) {
  std::string named;
  for (std::size_t i = 0; i < ids.size() && i < k_ids_shown; ++i) {
    named += (named.empty() ? ": " : ", ") + shown(ids[i]);
  }
  const bool more = !ids.empty() && count > static_cast<std::int64_t>(k_ids_shown);
  return fmt::format("  {:>5} × {}{}{}\n", count, printable(text), named, more ? " …" : "");
}

// By reason, in the order of their first occurrence.
std::string skipped_of(const Json& skipped) {
  std::vector<std::string> reasons;
  std::map<std::string, Json::array_t> ids;
  for (const Json& item : skipped) {
    const auto reason = item["reason"].get<std::string>();
    if (!ids.contains(reason)) {
      reasons.push_back(reason);
    }
    ids[reason].push_back(item["id"]);
  }
  std::string out = skipped.empty() ? "" : "Left out:\n";
  for (const std::string& reason : reasons) {
    out += finding(static_cast<std::int64_t>(ids[reason].size()), reason, ids[reason]);
  }
  return out;
}

}  // namespace

std::string print_imported(const verbs::Answer& answer, const Style&) {
  const Json& report = answer.value;
  const Json& imported = report["imported"];
  const bool dry_run = report["dry_run"] == true;
  const auto existing = report["existing"].get<std::int64_t>();
  std::string out;
  if (imported["tasks"] == 0 && imported["attachments"] == 0 && existing > 0) {
    out = fmt::format("Nothing to import: {} of its tasks {} imported before\n", existing,
                      existing == 1 ? "was" : "were");
  } else {
    out = fmt::format("{} {}, {}, {}, {}, {} and {} into board {}\n",
                      dry_run ? "Would import" : "Imported", counted(imported, "tasks"),
                      counted(imported, "links"), counted(imported, "comments"),
                      counted(imported, "runs"), counted(imported, "events"),
                      counted(imported, "attachments"), shown(answer.people["board"]));
    out += existing > 0 ? fmt::format("  {} imported before\n", existing) : "";
  }
  if (const std::size_t renamed = report["renamed"].size(); renamed > 0) {
    Json::array_t ids;
    for (const Json& item : report["renamed"]) {
      ids.push_back(item["to"].is_null()
                        ? item["from"]
                        : Json(fmt::format("{} is {}", shown(item["from"]), shown(item["to"]))));
    }
    out += finding(static_cast<std::int64_t>(renamed), "a new id", ids);
  }
  out += skipped_of(report["skipped"]);
  out += report["notes"].empty() ? "" : "Notes:\n";
  for (const Json& note : report["notes"]) {
    out += finding(note["count"].get<std::int64_t>(), note["note"].get<std::string>(),
                   note["ids"].get_ref<const Json::array_t&>());
  }
  return out + (dry_run ? "Nothing was written.\n" : "");
}

}  // namespace hermes::cli
