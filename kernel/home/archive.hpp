#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/home/registry.hpp"
#include "kernel/home/removal.hpp"

// Boards that leave boards/, or are replaced there. All of it happens under the board's write gate,
// and moves whole directories: who waited for the gate finds that another file stands at the path
// and gives up (db::Database), and a crash leaves the one state or the other.
namespace hermes::home {

// Names of the directories in boards/_archived that hold a board, sorted.
std::vector<std::string> list_archived(const Home& home);
BoardPaths archived_board(const Home& home, const std::string& name);

// An empty directory boards/_archived/<stem>-<seconds>[-n].
Result<fs::path> make_archive_directory(const Home& home, const std::string& stem, Instant now);

// Asked under the gate, so that nothing can be claimed between the answer and the move.
using Allowed = std::function<Result<void>()>;

// Moves the board to boards/_archived/<slug>-<seconds>[-n], clears `current` when it names it, and
// removes what is left of its runs. Error: conflict for the default board and for a link, what
// `allowed` says, busy.
Result<fs::path> archive_board(const Home& home, const BoardPaths& board, Instant now,
                               Millis gate_wait, const Allowed& allowed);

// The same, and destroys it. A board that could not be removed to the end is no board any more; gc
// removes the rest.
Result<TreeSize> destroy_board(const Home& home, const BoardPaths& board, Instant now,
                               Millis gate_wait, const Allowed& allowed);

// What is done to a board that comes from a file before anybody sees it.
using Prepare = std::function<Result<void>(db::Database&)>;

// Puts the copy of a board (of `backup`, or of another such file) in the place of the present
// board, which is kept: returns where. The settings, the attachments, the logs, the workspaces and
// the notes of working trees go on; attachments are in both. The caller holds the dispatcher's
// lock. Error: damaged, schema, what `allowed` says.
Result<fs::path> restore_board(const Home& home, const BoardPaths& board, const fs::path& file,
                               Instant now, Millis gate_wait, const Allowed& allowed,
                               const Prepare& prepare);

// "HRMX": the application_id of an exported board (bundle.hpp), which is no board before it is
// imported.
inline constexpr std::int64_t k_bundle_id = 0x48524d58;

// What is found wrong inside the copy of a file, said of the file.
Error about_file(const fs::path& file, Error error);

// Copies a database file from outside, in one state and with what its WAL holds, to `target`.
// Refuses the file of a board of this home that is in use. Error: as db::copy_database.
Result<void> bring_in(const Home& home, const fs::path& file, const fs::path& target);

// Makes the database that was brought in as `draft` a board of ours: judged, migrated, prepared and
// without a WAL. `file` is where it came from. Error: damaged, schema, what `prepare` says.
Result<void> adopt_draft(const BoardPaths& draft, const fs::path& file, Instant now,
                         const Prepare& prepare);

// Directories in boards/ that a killed create, import or rm has left: of a day or older.
std::vector<fs::path> leftover_directories(const Home& home, Instant now);

}  // namespace hermes::home
