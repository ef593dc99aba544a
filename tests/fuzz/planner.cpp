// What a planner may answer: the first byte says whether it was asked to specify or to decompose,
// the rest is its standard output.
#include "fuzz/harness.hpp"
#include "fuzz/home.hpp"

using namespace hermes;
using fuzz::require;

namespace {

std::int64_t count_of_tasks(fuzz::ThrowAwayHome& home) {
  return static_cast<std::int64_t>(
      home.call({"kanban", "list", "--json"}).value().value().value.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::ThrowAwayHome home;
  static const std::string rough = home.ids().at("rough");
  if (size == 0) {
    return 0;
  }
  home.renew();
  home.planner_answer = fuzz::text_of(data, size).substr(1);
  const auto before = count_of_tasks(home);
  const auto answer = home.call({"kanban", data[0] % 2 == 0 ? "specify" : "decompose", rough});
  require(answer.has_value(), "a planner is asked");
  const auto shown = home.call({"kanban", "show", rough, "--json"}).value();
  if (!*answer || (*answer)->exit_status != 0) {
    require(shown->value["task"]["status"] == "triage" && count_of_tasks(home) == before,
            "an answer that is refused changes nothing", home.planner_answer);
  }
  home.require_sound();
  return 0;
}
