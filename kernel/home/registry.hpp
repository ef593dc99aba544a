#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/db/database.hpp"
#include "kernel/home/board_settings.hpp"
#include "kernel/home/paths.hpp"

namespace hermes::home {

// Where the choice of a board comes from, in this order: the flag, HERMES_KANBAN_BOARD, `current`,
// "default".
struct BoardChoice {
  std::optional<std::string> flag;
  std::optional<std::string> environment;
};

// A value that is set but malformed (usage) or names no board (not_found) is an error, never a
// silent fall-through.
Result<BoardPaths> choose_board(const Home& home, const BoardChoice& choice);

// The same with where the choice came from: "the board argument", "HERMES_KANBAN_BOARD", the path
// of `current`, or "the default".
struct ChosenBoard {
  BoardPaths paths;
  std::string source;
};
Result<ChosenBoard> chosen_board(const Home& home, const BoardChoice& choice);

// Error: not_found, naming the boards there are.
Result<void> require_board(const Home& home, const std::string& slug);

// Makes it the current board, for everybody who names none. Error: not_found.
Result<void> switch_board(const Home& home, const std::string& slug);

// Slugs of all boards of the home, the default first, then sorted. A board is a directory that
// holds board.db or board.lock; each once, though links may give it more names.
std::vector<std::string> list_boards(const Home& home);

// Makes the home, its directories and the board; everything that exists stays as it is. True when
// the board is new. A new board appears whole: it is made in a directory of its own beside and
// renamed.
Result<bool> create_board(const Home& home, const std::string& slug, Instant now,
                          BoardSettings settings = {});

// Makes a board in a directory of its own beside the others, by `fill`, which answers its slug, and
// renames it into its place: it appears whole or not at all. `is_new` is false, and nothing is
// made, when there is a board of that name. `hint` goes into the name of that directory.
struct Placed {
  std::string slug;
  bool is_new = false;
};
Result<Placed> place_board(const Home& home, const std::string& hint,
                           const std::function<Result<std::string>(const BoardPaths&)>& fill);

// A directory boards/.new-<hint>-… that is being filled; gc removes one that a killed program has
// left.
Result<fs::path> make_draft_directory(const Home& home, const std::string& hint);

// The home with its fixed directories (0700).
Result<void> create_home(const Home& home);

// profiles/shell/profile.toml, unless it exists. True when it was written.
Result<bool> create_shell_profile(const Home& home);

db::BoardFiles files_of(const BoardPaths& board);

}  // namespace hermes::home
