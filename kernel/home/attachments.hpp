#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/files.hpp"
#include "kernel/base/instant.hpp"
#include "kernel/db/commit.hpp"
#include "kernel/home/paths.hpp"

// The files of attachments: boards/<slug>/attachments/<task>/<name>. They are written before their
// row and removed after it, so whatever is killed leaves at most a file without a row, which gc
// removes. A file is marked as ours and never changed.
namespace hermes::home {

inline constexpr std::uint64_t k_attachment_bytes = 25 * 1024 * 1024;

// What a file may be called that was called `given` elsewhere: the last component of the path,
// without dots, dashes and blanks in front, at most 200 bytes, its ending kept. Letters, digits,
// blanks and ". ( ) [ ] - _" stay, and so do characters beyond ASCII that can be shown; others
// become
// '_'. "attachment" when nothing is left.
std::string attachment_name(std::string_view given);

// Whether a file that was to be called `wanted` may have been stored as `stored`: under that name,
// or with " (n)" before its ending.
bool is_stored_name_of(const std::string& wanted, const std::string& stored);

// One component of a path that cannot be mistaken for anything else; every name that is stored.
bool is_attachment_name(std::string_view name);

// By the ending of the name; "application/octet-stream" when it is not known.
std::string content_type_of(std::string_view name);

// A new file of the task under `name`, or under "stem (1).ext" and so on when it is taken. It is
// removed again unless it is kept, and synced with its directory before it is handed out. Error:
// invalid when there are more than k_attachment_bytes, counted while they are copied.
struct StoredFile {
  NewFile file;
  std::string name;
  std::int64_t size = 0;
};
Result<StoredFile> store_attachment(const BoardPaths& board, const std::string& task_id,
                                    const std::string& name, int from);
Result<StoredFile> store_attachment(const BoardPaths& board, const std::string& task_id,
                                    const std::string& name, std::string_view contents);

// Keeps the files when the transaction with their rows was committed, and also when that cannot be
// told (db::may_be_kept): what turns out to have no row is left to gc.
template <class T>
void keep_unless_undone(std::span<StoredFile> files, const Result<T>& committed) {
  if (committed || db::may_be_kept(committed.error())) {
    for (StoredFile& stored : files) {
      stored.file.keep();
    }
  }
}

// Says of a new file that we made it: only such files are ever removed without their row.
void mark_attachment(const NewFile& file);

// Removes one file of the task; true when it was there.
bool remove_attachment(const BoardPaths& board, const std::string& task_id,
                       const std::string& name);

// Removes all files of a task that is deleted, after its rows are gone; how many there were.
std::int64_t remove_attachments(const BoardPaths& board, const std::string& task_id);

// A file below attachments/ that we made.
struct FoundFile {
  fs::path path;
  std::string task_id;
  std::string name;
  Instant changed_at;
  std::int64_t size = 0;
};
std::vector<FoundFile> attachment_files(const BoardPaths& board);

}  // namespace hermes::home
