#include <fmt/core.h>

#include <algorithm>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_line_bytes = 100;

std::string elapsed_text(std::int64_t ms) {
  const std::int64_t seconds = std::max<std::int64_t>(0, ms / 1000);
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  return seconds < 3600 ? fmt::format("{}m", seconds / 60)
                        : fmt::format("{:.1f}h", static_cast<double>(seconds) / 3600);
}

std::vector<std::string> cells_of(std::size_t number, const Json& run, std::int64_t now_ms) {
  const bool active = run["ended_at_ms"].is_null();
  const std::int64_t end_ms = active ? now_ms : run["ended_at_ms"].get<std::int64_t>();
  return {pad_left(std::to_string(number), 3), active ? "(running)" : shown(run["outcome"]),
          shown(run["profile"]),
          pad_left(elapsed_text(end_ms - run["started_at_ms"].get<std::int64_t>()), 7),
          second(run["started_at_ms"], now_ms)};
}

}  // namespace

std::string print_runs(const verbs::Answer& answer, const Style& style) {
  if (answer.value.empty()) {
    return fmt::format("(no runs yet for {})\n", shown(answer.people["task_id"]));
  }
  const auto now_ms = answer.people.value("now_ms", std::int64_t{0});
  std::vector<std::vector<std::string>> rows{
      {pad_left("#", 3), "OUTCOME", "PROFILE", pad_left("ELAPSED", 7), "STARTED"}};
  for (const Json& run : answer.value) {
    rows.push_back(cells_of(rows.size(), run, now_ms));
  }
  const std::vector<std::string> lines = table_lines(rows, style.columns);
  std::string out = lines[0] + "\n";
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const Json& run = answer.value[i - 1];
    const std::string summary = shown_start(run["summary"], k_line_bytes);
    const std::string error = shown_start(run["error"], k_line_bytes);
    out += lines[i] + "\n";
    out += summary.empty() ? "" : fmt::format("     → {}\n", summary);
    out += error.empty() ? "" : fmt::format("     ✖ {}\n", error);
  }
  return out;
}

// To a file or a pipe exactly as it is; a terminal is shown control characters instead of obeying
// them.
std::string print_text(const verbs::Answer& answer, const Style& style) {
  std::string text = answer.value["text"].get<std::string>();
  if (style.terminal) {
    text = printable_lines(text);
  }
  return text.empty() || text.ends_with('\n') ? text : text + "\n";
}

}  // namespace hermes::cli
