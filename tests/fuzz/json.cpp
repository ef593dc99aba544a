// JSON from outside: the one parser that everything goes through, and the judgement of --metadata.
#include <nlohmann/json.hpp>

#include "fuzz/harness.hpp"
#include "kernel/board/artifacts.hpp"
#include "kernel/board/json.hpp"
#include "verbs/shapes.hpp"
#include "verbs/table.hpp"
#include "verbs/values.hpp"

using namespace hermes;
using fuzz::require;
using Json = nlohmann::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const verbs::Verb& complete = *verbs::find_verb("kanban", "complete");
  const std::string text(fuzz::text_of(data, size));
  const auto value = board::parse_json<Json>(text);
  if (!value.is_discarded()) {
    const std::string written = value.dump();
    require(board::parse_json<Json>(written) == value, "JSON that is written is read as the same",
            written);
  }
  verbs::Values values;
  values.add("task_ids", "t_00000001");
  const std::vector<std::string> words = fuzz::words_of(text);
  const std::string metadata = words.empty() ? "" : words.front();
  values.add("metadata", metadata);
  const auto judged = verbs::check(complete, values);
  fuzz::require_told(judged);
  verbs::parsed(text);
  if (!judged || values.json_object("metadata") != metadata) {
    return 0;
  }
  const auto artifacts = board::artifacts_in(metadata);
  fuzz::require_told(artifacts);
  require(
      !artifacts || board::artifacts_in(board::with_artifacts(metadata, *artifacts)) == artifacts,
      "artifacts that are written are read as the same", metadata);
  return 0;
}
