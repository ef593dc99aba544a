#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace hermes::test {

// What SQLite asks of the operating system, as far as a test looks at it or spoils it.
enum class Touch {
  open,
  remove,
  read,
  write,
  truncate,
  sync,
  lock,
  shm_map,
  shm_lock,
  unfetch,
  sleep,
  sync_directory  // not by SQLite, whose own are part of sync and remove, but by the kernel
};

struct Operation {
  Touch kind;
  std::string_view file;    // its name in its directory; "" for a sleep
  std::int64_t offset = 0;  // read, write; shm_lock: the first slot
  std::int64_t size = 0;    // truncate: the new size; shm_lock: how many slots
  int flags = 0;          // open, lock, shm_lock: SQLite's; remove: 1 when the directory is synced
  std::string_view data;  // write; sync_directory: its path
};

// What is done instead of the operation: nothing for SQLITE_OK, else this result, after the first
// bytes of a write have reached the file. A sleep is left out when it is not SQLITE_OK.
struct Answer {
  int code = SQLITE_OK;
  std::size_t written = 0;
  int error_number = 0;  // errno
};

// A layer between SQLite and the real files, the default VFS of this process while it lives: every
// operation on a named file is shown to `rule` before it is done, and so is every fsync of a
// directory (the programs that link this have fsync wrapped). One at a time, and every
// connection that was opened through it is closed before it goes.
class Disk {
 public:
  using Rule = std::function<Answer(const Operation&)>;  // called by every thread that uses SQLite

  explicit Disk(Rule rule);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  Answer ask(const Operation& operation) const { return rule_(operation); }
  sqlite3_vfs* real() const { return real_; }

 private:
  Rule rule_;
  sqlite3_vfs* real_;
  sqlite3_vfs layer_;
};

}  // namespace hermes::test
