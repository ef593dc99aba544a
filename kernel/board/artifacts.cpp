#include "kernel/board/artifacts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::board {

namespace {

constexpr const char* k_key = "artifacts";
constexpr const char* k_form = R"(for example {"artifacts": ["report.md", "plot.png"]})";

}  // namespace

Result<std::vector<std::string>> artifacts_in(const std::optional<std::string>& metadata) {
  std::vector<std::string> artifacts;
  const auto object = parse_json<nlohmann::json>(metadata.value_or("{}"));
  const auto found = object.is_object() ? object.find(k_key) : object.end();
  if (found == object.end()) {
    return artifacts;
  }
  const nlohmann::json list =
      found->is_string() ? nlohmann::json::array({*found}) : nlohmann::json(*found);
  const bool texts = list.is_array() && std::ranges::all_of(list, [](const nlohmann::json& one) {
                       return one.is_string() && !trim(one.get<std::string>()).empty();
                     });
  if (!texts) {
    return fail(ErrorCode::invalid, "the artifacts in the metadata are not a list of paths",
                k_form);
  }
  if (list.size() > k_most_artifacts) {
    return fail(ErrorCode::invalid,
                fmt::format("{} artifacts, the limit is {}", list.size(), k_most_artifacts),
                "pack them into one file and name that");
  }
  for (const auto& one : list) {
    std::string path = one.get<std::string>();
    TRY(check_text("the path of an artifact", path, k_path_bytes));
    if (std::ranges::find(artifacts, path) == artifacts.end()) {
      artifacts.push_back(std::move(path));
    }
  }
  return artifacts;
}

std::string with_artifacts(const std::optional<std::string>& metadata,
                           const std::vector<std::string>& artifacts) {
  auto object = parse_json<nlohmann::json>(metadata.value_or("{}"));
  object[k_key] = artifacts;
  return dump(object);
}

}  // namespace hermes::board
