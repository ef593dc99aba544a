#include "kernel/home/profile.hpp"

#include <fmt/core.h>
#include <linux/ioprio.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/command.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_most_profiles = 10'000;
constexpr std::size_t k_most_named = 20;  // in a message
constexpr std::int64_t k_most_memory = std::int64_t{1} << 50;
// Of a tree: its supervisor and a program of any kind have room.
constexpr std::int64_t k_least_tree_memory = 16 * 1024 * 1024;
constexpr std::int64_t k_most_percent = 100'000;  // a thousand processors

constexpr std::array<std::string_view, 6> k_placeholders = {
    "{task_id}", "{title}", "{body}", "{workspace}", "{board}", "{context_file}"};

// "" where the text at the front is no placeholder.
std::string_view placeholder_at(std::string_view text) {
  for (const std::string_view one : k_placeholders) {
    if (text.starts_with(one)) {
      return one;
    }
  }
  return {};
}

const std::string& value_of(std::string_view placeholder, const CommandValues& values) {
  return placeholder == "{task_id}"     ? values.task_id
         : placeholder == "{title}"     ? values.title
         : placeholder == "{body}"      ? values.body
         : placeholder == "{workspace}" ? values.workspace
         : placeholder == "{board}"     ? values.board
                                        : values.context_file;
}

std::string expand(std::string_view argument, const CommandValues& values) {
  std::string out;
  while (!argument.empty()) {
    const std::size_t brace = std::min(argument.find('{'), argument.size());
    out += argument.substr(0, brace);
    argument.remove_prefix(brace);
    if (const std::string_view found = placeholder_at(argument); !found.empty()) {
      out += value_of(found, values);
      argument.remove_prefix(found.size());
    } else if (!argument.empty()) {
      out += argument.front();
      argument.remove_prefix(1);
    }
  }
  return out;
}

std::string no_profile(const std::string& name, const std::vector<std::string>& names) {
  return fmt::format("no profile '{}'{}", printable(clip(name, 100)), did_you_mean(name, names));
}

}  // namespace

namespace {

// "idle", or a level of the best-effort class (ioprio_set(2)), which may be written as a number.
KeyRule io_key(std::string& io) {
  return {"io",
          [&io](const Setting& setting) -> Result<void> {
            const std::string word = setting.kind == Setting::Kind::integer
                                         ? std::to_string(setting.integer)
                                         : setting.text;
            const bool is_level = word.size() == 1 && word >= "0" && word <= "7";
            if (!is_level && (word != "idle" || setting.kind != Setting::Kind::text)) {
              return std::unexpected(
                  refuse(setting, "must be \"idle\" or a level from 0 (first) to 7 (last)"));
            }
            io = word;
            return {};
          },
          [&io] { return io.empty() ? "" : toml_text(io); }};
}

}  // namespace

int io_priority(const Profile& profile) {
  if (profile.io.empty()) {
    return 0;
  }
  return profile.io == "idle" ? IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)
                              : IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, profile.io.front() - '0');
}

Result<Profile> parse_profile(std::string_view text, const std::string& name,
                              const std::string& file_name) {
  TRY_ASSIGN(const Setting file, parse_settings(text, file_name));
  Profile profile;
  profile.name = name;
  Millis cpu{0};
  TRY(read_table(
      file,
      {
          text_key("description", profile.description, k_text_bytes),
          command_key("command", profile.command, R"(["bash", "-c", "{body}"])"),
          word_key("verdict", profile.verdict),
          env_pass_key(profile.env_pass),
          env_key(profile.env),
          text_key("env_file", profile.env_file, k_path_bytes),
          integer_key("max_in_progress", profile.max_in_progress, 1, k_most_workers),
          duration_key("max_runtime", profile.max_runtime, Millis{1}, std::chrono::hours{24 * 366}),
          table_key("limits", {integer_key("nice", profile.nice, 0, 19),
                               bytes_key("memory", profile.memory_bytes, 0, k_most_memory),
                               duration_key("cpu", cpu, Millis{0}, std::chrono::hours{24 * 366}),
                               io_key(profile.io),
                               bytes_key("tree_memory", profile.tree.memory_bytes,
                                         k_least_tree_memory, k_most_memory),
                               percent_key("tree_cpu", profile.tree.cpu_percent, k_most_percent)}),
          reserved("service"),
      }));
  if (profile.command.empty()) {
    return fail(ErrorCode::invalid, fmt::format("{}:1: command: is missing", file_name),
                "add a line such as command = [\"bash\", \"-c\", \"{body}\"]");
  }
  // RLIMIT_CPU counts whole seconds, and 0 would mean no limit.
  profile.cpu_seconds = (cpu.count() + 999) / 1000;
  return profile;
}

Result<std::string> read_profile_text(const Home& home, const std::string& name) {
  const auto parsed = parse_profile_name(name);
  auto text = parsed && *parsed == name ? read_file(home.profile(name), k_settings_bytes)
                                        : fail(ErrorCode::not_found, "");
  if (!text && text.error().code == ErrorCode::not_found) {
    std::vector<std::string> names = list_profiles(home);
    const std::string message = no_profile(name, names);
    if (names.size() > k_most_named) {
      names.resize(k_most_named);
      names.emplace_back("…");
    }
    return fail(ErrorCode::not_found, message,
                fmt::format("{}; a new one is a file {}",
                            names.empty() ? "there are no profiles yet"
                                          : "the profiles are " + join(names, ", "),
                            printable((home.profiles() / "<name>" / "profile.toml").string())));
  }
  return text;
}

Result<Profile> load_profile(const Home& home, const std::string& name) {
  TRY_ASSIGN(const std::string text, read_profile_text(home, name));
  return parse_profile(text, name, home.profile(name).string());
}

namespace {

std::string optional_line(std::string_view key, const std::string& value) {
  return value.empty() ? "" : fmt::format("{} = {}\n", key, value);
}

std::string limits_text(const Profile& profile) {
  const auto number = [](std::string_view key, std::int64_t value) {
    return optional_line(key, value == 0 ? "" : std::to_string(value));
  };
  return number("nice", profile.nice) + number("memory", profile.memory_bytes) +
         number("cpu", profile.cpu_seconds) +
         optional_line("io", profile.io.empty() ? "" : toml_text(profile.io)) +
         number("tree_memory", profile.tree.memory_bytes) +
         optional_line("tree_cpu", toml_percent(profile.tree.cpu_percent));
}

// The same lines that parse_profile reads.
std::string profile_text(const Profile& profile) {
  std::string text = fmt::format(
      "description = {}\n\n"
      "# A list of arguments; no shell is involved unless the command is one.\n"
      "# {{task_id}} {{title}} {{body}} {{workspace}} {{board}} {{context_file}} are replaced.\n"
      "command = {}\n\n"
      "# \"explicit\": the worker calls hermes kanban complete or block.\n"
      "# \"exit-code\": its exit code is the verdict.\n"
      "verdict = \"{}\"\n",
      toml_text(profile.description), toml_texts(profile.command), to_word(profile.verdict));
  text += optional_line("max_in_progress",
                        profile.max_in_progress ? std::to_string(*profile.max_in_progress) : "");
  text +=
      optional_line("max_runtime", profile.max_runtime ? toml_duration(*profile.max_runtime) : "");
  text += optional_line("env_pass", profile.env_pass.empty() ? "" : toml_texts(profile.env_pass));
  text += optional_line("env_file", profile.env_file.empty() ? "" : toml_text(profile.env_file));
  if (!profile.env.empty()) {
    text += "\n[env]\n";
    for (const auto& [name, value] : profile.env) {
      text += fmt::format("{} = {}\n", toml_text(name), toml_text(value));
    }
  }
  const std::string limits = limits_text(profile);
  return limits.empty() ? text : text + "\n[limits]\n" + limits;
}

}  // namespace

Result<void> create_profile(const Home& home, const Profile& profile) {
  return create_profile(home, profile.name, profile_text(profile));
}

Result<void> create_profile(const Home& home, const std::string& name, const std::string& text) {
  const fs::path file = home.profile(name);
  TRY(parse_profile(text, name, std::string(k_given)));
  TRY(make_directory(file.parent_path()));
  TRY_ASSIGN(const bool made, create_file(file, text));
  if (!made) {
    return fail(ErrorCode::conflict, fmt::format("profile '{}' exists already", name),
                "edit " + printable(file.string()) + ", or delete it first");
  }
  return {};
}

Result<void> replace_profile(const Home& home, const std::string& name, const std::string& text) {
  TRY(parse_profile(text, name, home.profile(name).string()));
  return write_file_atomically(home.profile(name), text);
}

Result<void> rename_profile(const Home& home, const std::string& from, const std::string& to) {
  TRY(read_profile_text(home, from));
  TRY(rename_to_new(home.profile(from).parent_path(), home.profile(to).parent_path()));
  return sync_directory(home.profiles());
}

Result<bool> delete_profile(const Home& home, const std::string& name) {
  const fs::path file = home.profile(name);
  std::error_code problem;
  if (!fs::remove(file, problem)) {
    return problem ? std::unexpected(system_error("remove", file, problem.value()))
                   : fail(ErrorCode::not_found, no_profile(name, list_profiles(home)),
                          "see `hermes profile list`");
  }
  TRY(sync_directory(file.parent_path()));
  return fs::remove(file.parent_path(), problem);
}

std::vector<std::string> list_profiles(const Home& home) {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator entry(home.profiles(), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    const auto parsed = parse_profile_name(name);
    std::error_code ignored;
    if (parsed && *parsed == name && names.size() < k_most_profiles &&
        fs::exists(home.profile(name), ignored)) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> placeholders() { return {k_placeholders.begin(), k_placeholders.end()}; }

std::vector<std::string> unknown_placeholders(std::string_view argument) {
  std::vector<std::string> found;
  for (std::size_t at = argument.find('{'); at != std::string_view::npos;
       at = argument.find('{', at + 1)) {
    const std::size_t end = argument.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at + 1);
    // ${variable}, and %{variable} of curl and rpm
    const bool shell = at > 0 && (argument[at - 1] == '$' || argument[at - 1] == '%');
    if (end != std::string_view::npos && end > at + 1 && argument[end] == '}' && !shell &&
        placeholder_at(argument.substr(at)).empty()) {
      found.emplace_back(argument.substr(at, end + 1 - at));
    }
  }
  return found;
}

std::vector<std::string> expand_command(const Profile& profile, const CommandValues& values) {
  std::vector<std::string> arguments;
  for (const std::string& argument : profile.command) {
    arguments.push_back(expand(argument, values));
  }
  return arguments;
}

std::vector<std::string> worker_environment(const Profile& profile,
                                            const std::map<std::string, std::string>& from,
                                            const std::map<std::string, std::string>& secret,
                                            const std::map<std::string, std::string>& own) {
  std::map<std::string, std::string> set = profile.env;
  set.insert(secret.begin(), secret.end());
  return child_environment(profile.env_pass, set, from, own);
}

}  // namespace hermes::home
