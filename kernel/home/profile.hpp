#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/home/paths.hpp"
#include "kernel/model/words.hpp"

namespace hermes::home {

// What a worker may use together with all that it starts, kept by a control group.
struct TreeLimits {
  std::int64_t memory_bytes = 0;  // 16 MiB or more; 0: no limit
  std::int64_t cpu_percent = 0;   // of one processor, 1 to 100,000; 0: no limit

  bool any() const { return memory_bytes > 0 || cpu_percent > 0; }
};

// profiles/<name>/profile.toml: how a worker of this name is started.
struct Profile {
  std::string name;
  std::string description;
  std::vector<std::string>
      command;  // argv; placeholders are replaced inside single arguments, there is no shell
  VerdictMode verdict = VerdictMode::by_call;
  std::vector<std::string> env_pass;       // names taken from the dispatcher's environment
  std::map<std::string, std::string> env;  // set to these values
  std::string env_file;  // further variables, secret ones (env_file.hpp); "": none
  std::optional<std::int64_t> max_in_progress;
  std::optional<Millis> max_runtime;
  int nice = 0;                   // 0 to 19
  std::int64_t memory_bytes = 0;  // address space of the worker; 0: no limit
  std::int64_t cpu_seconds = 0;   // CPU time of the worker; 0: no limit
  std::string io;                 // "idle", or "0" (first) to "7" (last) among others; "": as it is
  TreeLimits tree;
};

// limits.io as ioprio_set(2) takes it; 0: nothing is to be set.
int io_priority(const Profile& profile);

// Error: not_found when there is no such profile, invalid ("<file>:<line>: <key>: <rule>") when it
// cannot be used.
Result<Profile> load_profile(const Home& home, const std::string& name);
Result<Profile> parse_profile(std::string_view text, const std::string& name,
                              const std::string& file_name);

// Writes profiles/<name>/profile.toml. Error: conflict when there is one; invalid when it could not
// be used, before anything is written.
Result<void> create_profile(const Home& home, const Profile& profile);
Result<void> create_profile(const Home& home, const std::string& name, const std::string& text);

// The text of profile.toml as it stands. Error: not_found.
Result<std::string> read_profile_text(const Home& home, const std::string& name);

// Puts another text in its place, whole. Error: invalid when it could not be used; then the old one
// stays.
Result<void> replace_profile(const Home& home, const std::string& name, const std::string& text);

// Gives the profile's directory another name, with all that is in it. Error: not_found; conflict
// when there is one of the new name.
Result<void> rename_profile(const Home& home, const std::string& from, const std::string& to);

// Removes profile.toml, and its directory when nothing else is in it (false: it stays). Error:
// not_found.
Result<bool> delete_profile(const Home& home, const std::string& name);

// Names of all profiles on disk, sorted, whether they can be used or not.
std::vector<std::string> list_profiles(const Home& home);

// What the placeholders stand for.
struct CommandValues {
  std::string task_id, title, body, workspace, board, context_file;
};

// "{task_id}", "{title}" …: what is replaced.
std::vector<std::string> placeholders();
// What looks like a placeholder in an argument, a lower-case word in braces, and is none.
std::vector<std::string> unknown_placeholders(std::string_view argument);

// {task_id} {title} {body} {workspace} {board} {context_file} replaced inside each argument, in one
// pass: a value that contains a placeholder is not replaced again. Other braces stay as they are.
std::vector<std::string> expand_command(const Profile& profile, const CommandValues& values);

// The environment of a worker: the allow-list (PATH HOME LANG TERM TZ USER), what the profile
// names, what its env_file sets (`secret`), what it sets itself, then `own` (the HERMES_
// variables), which wins.
std::vector<std::string> worker_environment(const Profile& profile,
                                            const std::map<std::string, std::string>& from,
                                            const std::map<std::string, std::string>& secret,
                                            const std::map<std::string, std::string>& own);

}  // namespace hermes::home
