#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"

// Plain files and directories: the one place where the kernel meets these system calls. Never used
// on a board's database file (closing any descriptor of it would drop SQLite's locks).
namespace hermes {

namespace fs = std::filesystem;

// The error of a failed system call: code unavailable, "cannot <doing> <path>: <strerror>", with a
// hint for the usual causes.
Error system_error(std::string_view doing, const fs::path& path, int error_number);

// Something has this name; a link as well that leads nowhere. False when that cannot be told.
bool is_there(const fs::path& path);

// One component of a path that leads nowhere else: not "", "." or "..", without '/' and NUL.
bool is_file_name(std::string_view name);

// `path` is `dir` or below it, as they are written (lies_in), or without their links and dots, as
// far as they are there (really_lies_in, which looks at the disk).
bool lies_in(const fs::path& path, const fs::path& dir);
bool really_lies_in(const fs::path& path, const fs::path& dir);

// Whole contents of a regular file (open_regular). Error: not_found, unavailable, or invalid when
// it is no regular file or longer than `most` bytes.
Result<std::string> read_file(const fs::path& path, std::size_t most);
// The rest of what is open already; `path` is for the message.
Result<std::string> read_open_file(const Fd& file, const fs::path& path, std::size_t most);

// The same of what a person names for us to read: also a FIFO, a terminal or /dev/stdin, and so it
// may wait. Never for a file of ours, in whose place somebody may put one.
Result<std::string> read_input_file(const fs::path& path, std::size_t most);

// A name for what is to take the place of `path`: "<path>.<16 hex digits>.tmp", drawn anew each
// time, so that whoever creates it finds nothing of another's there.
fs::path temporary_beside(const fs::path& path);

// What such a name is to take the place of; another name as it is.
std::string_view name_beside_temporary(std::string_view name);
inline constexpr std::string_view k_temporary = ".tmp";

// Writes a temporary file beside it, fsyncs, renames: readers see the old text or the new, never a
// part.
Result<void> write_file_atomically(const fs::path& path, std::string_view text, mode_t mode = 0600);

// The same for a new file: false when there is one already, which stays. Of several who try at once
// one succeeds.
Result<bool> create_file(const fs::path& path, std::string_view text, mode_t mode = 0600);

// Makes the directory and its missing parents with `mode`, and fsyncs the parent of each new one.
Result<void> make_directory(const fs::path& path, mode_t mode = 0700);

Result<void> sync_directory(const fs::path& path);

// A regular file for reading. Nothing is waited for: a FIFO or a device is refused (invalid), a
// missing file not_found. A link in its place is unavailable where it is refused.
enum class Links { followed, refused };
Result<Fd> open_regular(const fs::path& path, Links links = Links::followed);

// A regular file to write to the end of, private and made when it is missing. Never waits for the
// reader of a FIFO in its place.
Result<Fd> open_for_appending(const fs::path& path, Links links = Links::followed);

// A file that was not there before. It is removed again unless `keep` was called.
class NewFile {
 public:
  // Error: conflict when something is there already, even a dangling link.
  static Result<NewFile> create(const fs::path& path, mode_t mode = 0600);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  const fs::path& path() const { return path_; }
  int fd() const { return fd_.get(); }
  Result<void> write(std::string_view bytes);
  Result<void> sync();  // the file, not its name
  void keep() { kept_ = true; }

 private:
  NewFile(fs::path path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  fs::path path_;
  Fd fd_;
  bool kept_ = false;
};

// Everything from `from` on, to the end of the file; the number of bytes. Error: invalid when there
// are more than `most`, counted while they are copied.
Result<std::uint64_t> copy_bytes(int from, NewFile& to, std::uint64_t most);

// rename(2) that replaces nothing. Error: conflict when `to` exists.
Result<void> rename_to_new(const fs::path& from, const fs::path& to);

// Both paths exist afterwards with each other's contents, in one step where the filesystem can.
Result<void> exchange(const fs::path& a, const fs::path& b);

// True while `path` leads to the very file that is open as `fd`. A lock on a file that was replaced
// or removed excludes nobody.
bool is_still_at(int fd, const fs::path& path);

// PID of who holds a flock on the file at `path`, read from /proc/locks; nothing when nobody does
// or it is not visible.
std::optional<pid_t> flock_holder(const fs::path& path);

// Filesystem type from statfs(2) as a word when it is a network filesystem ("nfs", "smb", "9p", …),
// else nothing.
std::optional<std::string> network_filesystem(const fs::path& path);

// Where standard input, output or error is closed, opens /dev/null the wrong way round: reading and
// writing there fail as before, but no file of ours can get the number, and so a later message into
// it. To be called first of all.
void reserve_standard_descriptors();

// A umask that takes rights from the owner would make files that nobody can open again; from here
// on it takes them from others only. What is private is made so by its mode, under any umask.
void keep_rights_of_owner();

// "~" and "~/x" with the given home directory.
fs::path expand_tilde(std::string_view text, const fs::path& home);

}  // namespace hermes
