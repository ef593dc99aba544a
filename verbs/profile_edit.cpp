#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/home/settings_edit.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/profiles.hpp"

// The verbs that change the text of a profile.toml, or carry it elsewhere.
namespace hermes::verbs {

namespace {

constexpr std::string_view k_export_mark = "# hermes profile: ";

// KEY=VALUE into the text. What is no value of the key's type as TOML is tried as a text, so that
// `description=3` is one.
Result<std::string> with_given(const std::string& text, const std::string& given,
                               const std::string& name, const std::string& file) {
  const auto equals = given.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::usage,
                fmt::format("--set '{}' is not KEY=VALUE", printable(clip(given, 100))),
                "for example --set max_runtime=2h or --set limits.nice=10; KEY= removes the key");
  }
  const std::string key = given.substr(0, equals);
  const std::string value = given.substr(equals + 1);
  if (value.empty()) {
    return home::with_setting(text, key, std::nullopt, file);
  }
  TRY_ASSIGN(std::string changed, home::with_setting(text, key, home::toml_value(value), file));
  const auto parsed = home::parse_profile(changed, name, file);
  if (!parsed) {
    const auto as_text = home::with_setting(text, key, home::toml_text(value), file);
    if (as_text && home::parse_profile(*as_text, name, file)) {
      return as_text;
    }
    return std::unexpected(parsed.error());
  }
  return changed;
}

// What an editor makes of a copy. A copy that could not be used stays beside the profile.
Result<std::string> edited_by_hand(Call& call, const home::Home& home, const std::string& name,
                                   const std::string& text) {
  const fs::path file = home.profile(name);
  const fs::path copy = temporary_beside(file);
  TRY(create_file(copy, text));
  const auto ended = call.host.edit(copy);
  auto changed = ended ? read_file(copy, home::k_settings_bytes)
                       : Result<std::string>(std::unexpected(ended.error()));
  std::error_code ignored;
  fs::remove(copy, ignored);
  if (!changed) {
    return changed;
  }
  if (const auto parsed = home::parse_profile(*changed, name, file.string()); !parsed) {
    const fs::path rejected = file.parent_path() / "profile.toml.rejected";
    TRY(write_file_atomically(rejected, *changed));
    Error error = parsed.error();
    error.hint = fmt::format("nothing was changed; what you wrote is {}", rejected.string());
    return std::unexpected(std::move(error));
  }
  return changed;
}

Result<Answer> replaced(Call& call, const home::Home& home, const std::string& name,
                        const std::string& before, const std::string& after) {
  TRY_ASSIGN(const std::string now, home::read_profile_text(home, name));
  if (now != before) {
    return fail(ErrorCode::conflict, fmt::format("profile '{}' was changed meanwhile", name),
                "nothing was written; try again");
  }
  if (after != before) {
    TRY(home::replace_profile(home, name, after));
  }
  Answer answer;
  answer.value = profile_json(call, home, name);
  answer.value["changed"] = after != before;
  TRY_ASSIGN(const home::Profile profile, home::load_profile(home, name));
  tell_unknown_placeholders(profile.command, answer);
  return answer;
}

}  // namespace

Result<Answer> profile_edit(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
  TRY_ASSIGN(const std::string before, home::read_profile_text(home, name));
  std::string after = before;
  if (!call.values.has("set")) {
    TRY_ASSIGN(after, edited_by_hand(call, home, name, before));
  }
  for (const std::string& given : call.values.list("set")) {
    TRY_ASSIGN(after, with_given(after, given, name, home.profile(name).string()));
  }
  return replaced(call, home, name, before, after);
}

Result<Answer> profile_describe(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
  TRY_ASSIGN(const std::string before, home::read_profile_text(home, name));
  TRY_ASSIGN(
      const std::string after,
      home::with_setting(before, "description", home::toml_text(call.values.joined("description")),
                         home.profile(name).string()));
  return replaced(call, home, name, before, after);
}

namespace {

// The text without what only this home may know. What was left out is named.
Result<std::string> exported_text(const home::Home& home, const std::string& name, Json& left) {
  const std::string file = home.profile(name).string();
  TRY_ASSIGN(std::string text, home::read_profile_text(home, name));
  TRY_ASSIGN(const home::Profile profile, home::parse_profile(text, name, file));
  for (const auto& [variable, value] : profile.env) {
    if (is_secret_name(variable) || mask_secrets(value) != value) {
      TRY_ASSIGN(text, home::with_setting(text, "env." + variable, std::nullopt, file));
      left.push_back("env." + variable);
    }
  }
  if (!profile.env_file.empty()) {
    TRY_ASSIGN(text, home::with_setting(text, "env_file", std::nullopt, file));
    left.push_back("env_file");
  }
  if (const std::string masked = mask_secrets(text); masked != text) {
    text = masked;
    left.push_back("what has the form of a secret");
  }
  TRY_ASSIGN(const home::Profile again, home::parse_profile(text, name, file));
  for (const auto& [variable, value] : again.env) {
    if (is_secret_name(variable)) {  // one that is written {in braces}
      return fail(ErrorCode::invalid, fmt::format("{}: env.{} cannot be left out", file, variable),
                  "write [env] with its variables on lines of their own, or use env_file");
    }
  }
  return fmt::format("{}{}\n{}", k_export_mark, name, text);
}

std::string name_in(std::string_view text) {
  const std::string_view line = first_line(text);
  return line.starts_with(k_export_mark) ? std::string(trim(line.substr(k_export_mark.size())))
                                         : "";
}

}  // namespace

Result<Answer> profile_export(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
  Json left = Json::array();
  TRY_ASSIGN(const std::string text, exported_text(home, name, left));
  const auto file = call.values.text("file");
  if (file) {
    TRY_ASSIGN(const bool made, create_file(*file, text));
    if (!made) {
      return fail(ErrorCode::conflict, fmt::format("{} exists already", printable(*file)),
                  "choose another name, or remove it");
    }
  }
  Answer answer;
  answer.value = {{"name", name},
                  {"file", file ? Json(*file) : Json(nullptr)},
                  {"text", text},
                  {"left_out", left}};
  for (const Json& one : left) {
    answer.advice.push_back(fmt::format("note: {} was left out, because it is or may be a secret",
                                        one.get_ref<const std::string&>()));
  }
  return answer;
}

Result<Answer> profile_install(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const std::string file = call.values.text_or("file", "");
  TRY_ASSIGN(const std::string text, file == "-" ? call.host.read_input(home::k_settings_bytes)
                                                 : read_input_file(file, home::k_settings_bytes));
  const std::string given = call.values.text_or("name", name_in(text));
  if (given.empty()) {
    return fail(ErrorCode::usage, fmt::format("{} does not say its name", printable(file)),
                "give one with --name; what `hermes profile export` writes has it in its first "
                "line");
  }
  TRY_ASSIGN(const std::string name, home::parse_profile_name(given));
  if (const auto parsed = home::parse_profile(text, name, file); !parsed) {
    return std::unexpected(parsed.error());
  }
  TRY(home::create_home(home));
  TRY(home::create_profile(home, name, text));
  Answer answer;
  answer.value = profile_json(call, home, name);
  if (!answer.value["error"].is_null()) {
    answer.advice.push_back("note: " + answer.value["error"].get<std::string>());
  }
  return answer;
}

}  // namespace hermes::verbs
