#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/config.hpp"
#include "kernel/home/registry.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

constexpr std::size_t k_command_bytes = 64 * 1024;

}  // namespace

// Which home, which board, and every setting with the value that applies and where it comes from.
Result<Answer> config_show(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::vector<home::Effective> values, home::effective_config(home));
  Answer answer;
  Json settings = Json::array();
  for (const home::Effective& one : values) {
    settings.push_back({{"key", one.key},
                        {"value", one.value.empty() ? Json(nullptr) : Json(one.value)},
                        {"source", one.line == 0 ? "default" : "config.toml"},
                        {"line", one.line == 0 ? Json(nullptr) : Json(one.line)}});
  }
  const auto chosen = home::chosen_board(home, board_choice(call));
  const bool home_is_set = !call.environment.variable("HERMES_HOME").empty();
  answer.value = {{"home", home.dir.string()},
                  {"home_source", home_is_set ? "HERMES_HOME" : "the default, ~/.hermes"},
                  {"board", chosen ? Json(chosen->paths.slug) : Json(nullptr)},
                  {"board_source", chosen ? Json(chosen->source) : Json(nullptr)},
                  {"file", home.config().string()},
                  {"settings", std::move(settings)}};
  const home::DispatcherState state = call.host.dispatcher_state(home);
  if (state.alive && state.pid) {
    // What it was started with: words separated by NUL (proc(5)), the first is the program.
    const auto words = read_file(fmt::format("/proc/{}/cmdline", *state.pid), k_command_bytes);
    const std::vector<std::string> line = split_list(words.value_or(""), '\0');
    if (line.size() > 1) {
      answer.advice.push_back(
          "note: the running dispatcher was started with flags that go before these: " +
          join({line.begin() + 1, line.end()}, " "));
    }
  }
  if (!chosen) {
    answer.advice.push_back("note: " + chosen.error().message + "; " + chosen.error().hint);
  }
  return answer;
}

}  // namespace hermes::verbs
