#include <algorithm>

#include "kernel/db/connection.hpp"
#include "kernel/home/profile.hpp"
#include "kernel/home/registry.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

// What exists stays as it is, but for a missing gate and an older schema.
Result<void> mend_board(const home::Home& home, const std::string& slug, Instant now) {
  TRY(home::create_board(home, slug, now));
  TRY(db::Database::open(home::files_of(home.board(slug)), db::Database::Access::write, now));
  return {};
}

}  // namespace

std::string_view program_version() { return HERMES_VERSION; }

Result<Answer> init(Call& call) {
  const Instant now = call.environment.now;
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY(home::create_home(home));
  const std::string main_board(home::k_default_board);
  const std::vector<std::string> before = home::list_boards(home);
  const bool is_new = std::ranges::find(before, main_board) == before.end();
  TRY(mend_board(home, main_board, now));
  Answer answer;
  for (const std::string& slug : before) {
    if (slug == main_board) {
      continue;
    }
    if (auto mended = mend_board(home, slug, now); !mended) {
      answer.exit_status = 1;
      answer.failures.push_back(std::move(mended).error());
    }
  }
  TRY_ASSIGN(const bool shell_is_new, home::create_shell_profile(home));
  answer.value = {{"home", home.dir.string()},
                  {"board", main_board},
                  {"database", home.board(main_board).database().string()},
                  {"created", is_new},
                  {"boards", home::list_boards(home)},
                  {"profiles", home::list_profiles(home)},
                  {"shell_profile_created", shell_is_new}};
  return answer;
}

Result<Answer> version(Call&) {
  Answer answer;
  answer.value = {{"version", program_version()},
                  {"sqlite", db::loaded_sqlite()},
                  {"schema", db::schema_version()}};
  return answer;
}

}  // namespace hermes::verbs
