#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/board/assign.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/profiles.hpp"

namespace hermes::verbs {

namespace {

Result<board::Renamed> rename_on(Call& call, const std::string& slug, const std::string& from,
                                 const std::string& to) {
  TRY_ASSIGN(OpenBoard open, open_named_to_write(call, slug));
  return change(open, call, [&](board::Change& c) { return board::rename_assignee(c, from, to); });
}

Result<void> check_names(const home::Home& home, const std::string& from, const std::string& to) {
  TRY(home::read_profile_text(home, from));
  if (from == to) {
    return fail(ErrorCode::usage, fmt::format("profile '{}' has this name already", from),
                "name another one");
  }
  if (is_there(home.profile(to).parent_path())) {
    return fail(ErrorCode::conflict, fmt::format("profile '{}' exists already", to),
                "choose another name, or delete it first");
  }
  return {};
}

// What else names the profile is a person's to change.
void tell_settings(const home::Home& home, const std::string& from, const std::string& to,
                   Answer& answer) {
  const auto config = home::load_config(home);
  if (!config) {
    return;
  }
  for (const auto& [key, value] :
       {std::pair("default_assignee", config->limits.default_assignee),
        std::pair("reviewer", config->limits.reviewer),
        std::pair("root_assignee", config->planner.limits.root_assignee)}) {
    if (value == from) {
      answer.advice.push_back(fmt::format("note: {} in {} still names '{}': write '{}' there", key,
                                          home.config().string(), from, to));
    }
  }
}

}  // namespace

// Tasks first, the directory last: whoever is killed in between finds the old profile there, and
// calls it again. Until then the tasks that have the new name wait for it.
Result<Answer> profile_rename(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string from, given_profile_name(call));
  TRY_ASSIGN(const std::string to, home::parse_profile_name(call.values.text_or("new-name", "")));
  TRY(check_names(home, from, to));
  const auto looks = look_at_boards(home, call.environment.now);
  TRY(refuse_unseen(looks));
  if (const Load load = load_of(looks, from); load.running > 0) {
    return fail(ErrorCode::conflict,
                fmt::format("profile '{}' has {} live workers", from, load.running),
                "wait until they have ended, or `hermes kanban reclaim` their tasks");
  }
  Answer answer;
  Json boards = Json::object();
  for (const BoardLook& look : looks) {
    TRY_ASSIGN(const board::Renamed renamed, rename_on(call, look.slug, from, to));
    boards[look.slug] = renamed.changed;
    if (renamed.left > 0) {
      answer.advice.push_back(
          fmt::format("note: {} tasks of board {} are claimed by hand and keep the assignee '{}'",
                      renamed.left, look.slug, from));
    }
  }
  TRY(home::rename_profile(home, from, to));
  tell_settings(home, from, to, answer);
  answer.value = {{"name", to}, {"previous", from}, {"tasks", std::move(boards)}};
  return answer;
}

}  // namespace hermes::verbs
