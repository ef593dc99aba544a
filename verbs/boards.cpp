#include <fmt/core.h>

#include <algorithm>

#include "kernel/home/archive.hpp"
#include "kernel/home/settings.hpp"
#include "verbs/fleet.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

// The current board's slug, "" when the choice names none that exists.
std::string current_slug(const Call& call, const home::Home& home) {
  const auto chosen = home::choose_board(home, board_choice(call));
  return chosen ? chosen->slug : "";
}

// One board as every surface shows it. What cannot be read is told in `error`.
// One that was put away is not migrated by anybody, and is shown as it is.
Json board_json(const home::BoardPaths& paths, const std::string& current, Instant now,
                bool archived = false) {
  const std::string& slug = paths.slug;
  const auto settings = home::load_board_settings(paths);
  const home::BoardSettings shown = settings.value_or(home::BoardSettings{});
  const BoardLook look =
      look_at(paths, now, archived ? db::Database::Access::as_is : db::Database::Access::read);
  std::int64_t total = 0;
  for (const auto& [status, n] : look.by_status) {
    total += n;
  }
  return {{"slug", slug},
          {"name", shown.name.empty() ? slug : shown.name},
          {"description", shown.description},
          {"icon", shown.icon},
          {"color", shown.color},
          {"default_workdir", or_null(shown.default_workdir)},
          {"created_at", seconds_or_null(look.created_at)},
          {"archived", archived},
          {"db_path", paths.database().string()},
          {"is_current", slug == current},
          {"counts", counts_json(look.by_status)},
          {"total", total},
          {"error", look.error ? Json(look.error->message) : Json(nullptr)},
          {"settings_error", settings ? Json(nullptr) : Json(settings.error().message)}};
}

Result<std::string> given_slug(const Call& call) {
  return home::parse_slug(call.values.text_or("slug", ""));
}

std::optional<std::string> variable_that_wins(const Call& call, const std::string& slug) {
  const std::string set = call.environment.variable("HERMES_KANBAN_BOARD");
  return set.empty() || set == slug ? std::nullopt : std::optional(set);
}

Result<void> make_current(Call& call, const home::Home& home, const std::string& slug,
                          Answer& answer) {
  TRY(home::switch_board(home, slug));
  if (const auto set = variable_that_wins(call, slug)) {
    answer.advice.push_back(fmt::format(
        "note: HERMES_KANBAN_BOARD is set to '{}' and goes before the current board", *set));
  }
  return {};
}

}  // namespace

Result<Answer> boards_list(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const auto chosen = home::chosen_board(home, board_choice(call));
  Answer answer;
  answer.value = Json::array();
  for (const std::string& slug : home::list_boards(home)) {
    answer.value.push_back(
        board_json(home.board(slug), chosen ? chosen->paths.slug : "", call.environment.now));
  }
  for (const std::string& name :
       call.values.flag("all") ? home::list_archived(home) : std::vector<std::string>{}) {
    answer.value.push_back(
        board_json(home::archived_board(home, name), "", call.environment.now, true));
  }
  answer.people = {{"current", chosen ? Json(chosen->paths.slug) : Json(nullptr)},
                   {"source", chosen ? Json(chosen->source) : Json(nullptr)},
                   {"home", home.dir.string()}};
  if (!chosen && !answer.value.empty()) {
    answer.advice.push_back("note: " + chosen.error().message + "; " + chosen.error().hint);
  }
  return answer;
}

Result<Answer> boards_create(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string slug, given_slug(call));
  const Values& values = call.values;
  home::BoardSettings settings{.name = values.text_or("name", ""),
                               .description = values.text_or("description", ""),
                               .icon = values.text_or("icon", ""),
                               .color = values.text_or("color", ""),
                               .default_workdir = values.text_or("default-workdir", "")};
  if (const auto text = home::board_settings_text(settings, std::string(home::k_given)); !text) {
    return std::unexpected(home::as_flag_error(text.error()));
  }
  TRY_ASSIGN(const bool is_new,
             home::create_board(home, slug, call.environment.now, std::move(settings)));
  Answer answer;
  const bool described = std::ranges::any_of(
      values.all(), [](const auto& one) { return one.first != "slug" && one.first != "switch"; });
  if (!is_new && described) {
    answer.advice.push_back(
        fmt::format("note: board '{}' was there and keeps its settings; they stand in {}", slug,
                    home.board(slug).settings().string()));
  }
  if (values.flag("switch")) {
    TRY(make_current(call, home, slug, answer));
  }
  answer.value = board_json(home.board(slug), current_slug(call, home), call.environment.now);
  answer.value["created"] = is_new;
  return answer;
}

Result<Answer> boards_show(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  home::BoardChoice choice = board_choice(call);
  if (call.values.has("slug")) {
    TRY_ASSIGN(const std::string slug, given_slug(call));
    TRY(home::require_board(home, slug));
    choice.flag = slug;
  }
  TRY_ASSIGN(const home::ChosenBoard chosen, home::chosen_board(home, choice));
  Answer answer;
  answer.value = board_json(chosen.paths, current_slug(call, home), call.environment.now);
  answer.value["source"] = call.values.has("slug") ? Json(nullptr) : Json(chosen.source);
  answer.exit_status = answer.value["error"].is_null() ? 0 : 1;
  return answer;
}

Result<Answer> boards_switch(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string slug, given_slug(call));
  Answer answer;
  TRY(make_current(call, home, slug, answer));
  answer.value = {{"slug", slug}, {"current", current_slug(call, home)}};
  return answer;
}

}  // namespace hermes::verbs
