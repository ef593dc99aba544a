// profile.toml, and the command that is made of it.
#include "kernel/home/profile.hpp"

#include "fuzz/harness.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using fuzz::require;

namespace {

bool same(const home::Profile& a, const home::Profile& b) {
  return a.description == b.description && a.command == b.command && a.verdict == b.verdict &&
         a.env_pass == b.env_pass && a.env == b.env && a.env_file == b.env_file &&
         a.max_in_progress == b.max_in_progress && a.max_runtime == b.max_runtime &&
         a.nice == b.nice && a.memory_bytes == b.memory_bytes && a.cpu_seconds == b.cpu_seconds &&
         a.io == b.io && a.tree.memory_bytes == b.tree.memory_bytes &&
         a.tree.cpu_percent == b.tree.cpu_percent;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempDir dir;
  const home::Home home{dir.path()};
  const std::string_view text = fuzz::text_of(data, size);
  const auto profile = home::parse_profile(text, "worker", "profile.toml");
  fuzz::require_told(profile);
  if (!profile) {
    return 0;
  }
  const auto made = home::create_profile(home, *profile);
  fuzz::require_told(made);
  require(made.has_value(), "a profile that was read can be written", text);
  const auto again = home::load_profile(home, "worker");
  require(again && same(*again, *profile), "a profile that is written is read as the same", text);
  require(home::delete_profile(home, "worker").has_value(), "a profile can be deleted", text);

  // A value that looks like a placeholder is not replaced again.
  const home::CommandValues values{"{title}", "{body}", "{task_id}", "/w", "b", "/c"};
  const auto command = home::expand_command(*profile, values);
  require(command.size() == profile->command.size(), "an argument stays one argument", text);
  for (const std::string& argument : profile->command) {
    home::unknown_placeholders(argument);
  }
  home::worker_environment(*profile, {{"PATH", "/bin"}, {"A", "b"}}, {{"S", "s"}},
                           {{"HERMES_HOME", "/h"}});
  return 0;
}
