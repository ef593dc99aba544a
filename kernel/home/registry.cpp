#include "kernel/home/registry.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/removal.hpp"
#include "kernel/home/templates.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_most_boards = 10'000;
constexpr std::size_t k_most_named = 20;  // in a message
constexpr std::size_t k_current_bytes = 4096;

// One of the two files is enough: a board that has lost the other is a damaged board, not a free
// name.
bool is_board(const BoardPaths& board) {
  return is_there(board.database()) || is_there(board.lock());
}

// Where a board's name was found, for messages.
struct Named {
  std::string text;
  std::string source;
  std::string remedy;
};

Result<std::optional<Named>> named_board(const Home& home, const BoardChoice& choice) {
  if (choice.flag) {
    return Named{*choice.flag, "the board argument", "correct the name"};
  }
  if (choice.environment &&
      !choice.environment->empty()) {  // blanks are a value, and no board's name
    return Named{*choice.environment, "HERMES_KANBAN_BOARD", "correct HERMES_KANBAN_BOARD"};
  }
  auto text = read_file(home.current(), k_current_bytes);
  if (!text && text.error().code == ErrorCode::not_found) {
    return std::nullopt;
  }
  TRY(text);
  const std::string file = printable(home.current().string());
  return Named{std::string(trim(*text)), file,
               fmt::format("write a board's name into {}, or remove it", file)};
}

Error no_such_board(const Home& home, const Named& named, const std::string& slug) {
  std::vector<std::string> boards = list_boards(home);
  if (boards.empty()) {
    return {ErrorCode::not_found,
            fmt::format("there is no board in {}", printable(home.dir.string())),
            "`hermes init` makes the first one"};
  }
  const std::string meant = did_you_mean(slug, boards);
  if (boards.size() > k_most_named) {
    boards.resize(k_most_named);
    boards.emplace_back("…");
  }
  return {ErrorCode::not_found, fmt::format("no board '{}' (from {}){}", slug, named.source, meant),
          fmt::format("{}; the boards are {}", named.remedy, join(boards, ", "))};
}

Result<void> fill_board(const BoardPaths& board, const BoardSettings& settings, Instant now) {
  TRY(db::Database::create(files_of(board), now));
  TRY(save_board_settings(board, settings));
  TRY(make_directory(board.logs()));
  TRY(make_directory(board.workspaces()));
  return sync_directory(board.dir);
}

// The gate of a board that has lost its board.lock. Never in place of the database: that would hide
// the damage.
Result<void> restore_parts(const BoardPaths& board) {
  if (is_there(board.database()) && !is_there(board.lock())) {
    const Fd made(::open(board.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!made) {
      return std::unexpected(system_error("create", board.lock(), errno));
    }
  }
  TRY(make_directory(board.logs()));
  TRY(make_directory(board.workspaces()));
  return sync_directory(board.dir);
}

}  // namespace

db::BoardFiles files_of(const BoardPaths& board) { return {board.database(), board.lock()}; }

Result<BoardPaths> choose_board(const Home& home, const BoardChoice& choice) {
  TRY_ASSIGN(const std::optional<Named> found, named_board(home, choice));
  const Named named =
      found.value_or(Named{std::string(k_default_board), "the default", "`hermes init` makes it"});
  auto slug = parse_slug(named.text);
  if (!slug) {
    Error error = slug.error();
    error.message += fmt::format(" (from {})", named.source);
    return std::unexpected(error);
  }
  BoardPaths board = home.board(*slug);
  if (!is_board(board)) {
    return std::unexpected(no_such_board(home, named, *slug));
  }
  return board;
}

Result<ChosenBoard> chosen_board(const Home& home, const BoardChoice& choice) {
  TRY_ASSIGN(BoardPaths board, choose_board(home, choice));
  TRY_ASSIGN(const std::optional<Named> found, named_board(home, choice));
  return ChosenBoard{std::move(board), found ? found->source : "the default"};
}

Result<void> require_board(const Home& home, const std::string& slug) {
  return is_board(home.board(slug))
             ? Result<void>{}
             : std::unexpected(
                   no_such_board(home, {slug, "what was asked for", "correct the name"}, slug));
}

Result<void> switch_board(const Home& home, const std::string& slug) {
  TRY(require_board(home, slug));
  return write_file_atomically(home.current(), slug + "\n");
}

namespace {

// A link in boards/ may lead to where the board really is, but a second name of a board that is
// listed is no second board: it would be served twice, and counted twice.
void drop_second_names(const Home& home, std::vector<std::string>& slugs) {
  const auto identity = [&](const std::string& slug) {
    struct stat facts {};
    (void)::stat(home.board(slug).dir.c_str(), &facts);
    return std::pair(facts.st_dev, facts.st_ino);
  };
  std::stable_partition(slugs.begin(), slugs.end(), [&](const std::string& slug) {
    std::error_code ignored;
    return !fs::is_symlink(home.board(slug).dir, ignored);
  });
  std::set<std::pair<dev_t, ino_t>> seen;
  std::erase_if(slugs,
                [&](const std::string& slug) { return !seen.insert(identity(slug)).second; });
}

}  // namespace

std::vector<std::string> list_boards(const Home& home) {
  std::vector<std::string> slugs;
  std::error_code problem;
  for (fs::directory_iterator entry(home.boards(), problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    const auto slug = parse_slug(name);
    if (slug && *slug == name && slugs.size() < k_most_boards && is_board(home.board(name))) {
      slugs.push_back(name);
    }
  }
  drop_second_names(home, slugs);
  std::sort(slugs.begin(), slugs.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a != k_default_board, std::string_view(a)) <
           std::pair(b != k_default_board, std::string_view(b));
  });
  return slugs;
}

Result<void> create_home(const Home& home) {
  TRY(make_directory(home.dir));
  TRY(make_directory(home.boards()));
  TRY(make_directory(home.profiles()));
  // Who has made them may have been killed before they were synced. The parent of a home that a
  // person has made need not be readable.
  (void)sync_directory(home.dir.parent_path());
  return sync_directory(home.dir);
}

Result<bool> create_board(const Home& home, const std::string& slug, Instant now,
                          BoardSettings settings) {
  TRY(parse_slug(slug));
  settings.name = settings.name.empty() ? slug : settings.name;
  TRY(create_home(home));
  const BoardPaths board = home.board(slug);
  if (is_board(board)) {
    TRY(restore_parts(board));
    return false;
  }
  TRY_ASSIGN(const Placed placed,
             place_board(home, slug, [&](const BoardPaths& draft) -> Result<std::string> {
               TRY(fill_board({slug, draft.dir}, settings, now));
               return slug;
             }));
  return placed.is_new;
}

Result<fs::path> make_draft_directory(const Home& home, const std::string& hint) {
  std::string pattern = (home.boards() / fmt::format(".new-{}-XXXXXX", hint)).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return std::unexpected(system_error("create directory", pattern, errno));
  }
  return pattern;
}

Result<Placed> place_board(const Home& home, const std::string& hint,
                           const std::function<Result<std::string>(const BoardPaths&)>& fill) {
  TRY_ASSIGN(const fs::path directory, make_draft_directory(home, hint));
  DraftDirectory made{directory};
  TRY_ASSIGN(const std::string slug, fill({hint, made.path()}));
  TRY(sync_directory(made.path()));
  const BoardPaths board = home.board(slug);
  // Replaces nothing but an empty directory, so whoever is second keeps the board of the first.
  if (::rename(made.path().c_str(), board.dir.c_str()) != 0) {
    const int error_number = errno;
    if (is_board(board)) {
      return Placed{slug, false};
    }
    if (error_number == ENOTEMPTY || error_number == EEXIST || error_number == ENOTDIR) {
      return fail(ErrorCode::unavailable,
                  fmt::format("{} exists and is not a board", printable(board.dir.string())),
                  "move it away and try again");
    }
    return std::unexpected(system_error("create board", board.dir, error_number));
  }
  made.keep();
  TRY(sync_directory(home.boards()));
  return Placed{slug, true};
}

Result<bool> create_shell_profile(const Home& home) {
  TRY(create_home(home));
  const fs::path file = home.profile("shell");
  if (is_there(file)) {
    return false;
  }
  TRY(make_directory(file.parent_path()));
  TRY_ASSIGN(const std::string text, profile_template("shell"));
  TRY(write_file_atomically(file, text));
  return true;
}

}  // namespace hermes::home
