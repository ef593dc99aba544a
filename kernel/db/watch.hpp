#pragma once

#include <filesystem>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"

namespace hermes::db {

// Wakes on every write transaction of a board, by any process, after it is visible: the close of
// its write gate. One event per transaction; the WAL itself is never watched, because it changes
// before the commit can be seen.
class GateWatch {
 public:
  // Opens the gate O_RDWR once first (on overlayfs only the file that was copied up is the one that
  // others write).
  static Result<GateWatch> on(const std::filesystem::path& lock_file);

  int fd() const { return fd_.get(); }  // readable when something happened; non-blocking

  enum class Seen {
    nothing,
    written,  // at least one gate was closed
    lost,     // overflow, or the file is gone: look at everything and watch anew
  };
  Seen take();  // empties the queue

  // Blocks until something can be taken, at most `ms`; false when nothing came.
  bool wait(int ms) const;

 private:
  explicit GateWatch(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace hermes::db
