#pragma once

#include <sys/types.h>

#include <climits>
#include <cstdint>

namespace hermes::shim {

// Keeps the worker's log bounded while the worker writes to it directly, without losing or tearing
// a line.
//
// When the log is longer than the cap, its head is copied to the older generation (a temporary
// file, then a rename) and only then cut off the front of the log: by FALLOC_FL_COLLAPSE_RANGE
// where the filesystem can (ext4, xfs), else by FALLOC_FL_PUNCH_HOLE (tmpfs, btrfs): then the file
// keeps its length and begins with a hole that takes no space; readers start at the first data
// (SEEK_DATA). Writers append, so neither disturbs them. Older generation + log is one contiguous
// text. Where neither is supported the log is truncated: what is written in that moment is lost,
// the bound holds.
//
// The bound goes before completeness: if the copy fails (disk full), the head is cut all the same.
//
// Costs nothing while the worker is quiet. The size is looked at by timer while it grows (every 10
// ms when fast, else 100 ms), and inotify tells when it begins to grow again. inotify starts only
// after the first 300 ms: closing an instance waits for a grace period of the kernel, which would
// be most of the life of a short run.
class LogCap {
 public:
  // `cap` 0 switches all of it off. `older` must stay valid.
  void start(int log_fd, const char* log, const char* older, std::int64_t cap, std::int64_t now_ms);

  // Looks at the log if that is due, and cuts it if needed.
  void settle(std::int64_t now_ms, bool changed);

  // Looks at the log in any case: for the end of the run.
  void finish();

  // To be waited for; -1 when the timer alone decides.
  int wait_fd() const { return waiting_ ? inotify_fd_ : -1; }
  // When settle() is due next; INT64_MAX when only an event can make it so.
  std::int64_t due_ms() const { return due_ms_; }

 private:
  void plan_next(std::int64_t now_ms, std::int64_t grown);
  void start_inotify(std::int64_t now_ms);
  std::int64_t cut_if_needed();
  bool copy_head(off_t from, off_t to);
  bool write_temporary(off_t from, off_t to);
  void cut(off_t head, off_t size, off_t block);

  int fd_ = -1;
  const char* log_ = nullptr;
  const char* older_ = nullptr;
  std::int64_t cap_ = 0;
  off_t base_ = 0;        // bytes at the front that are a hole
  off_t seen_ = 0;        // length without the hole when last looked at
  bool collapse_ = true;  // until the filesystem refuses
  bool waiting_ = false;  // for an event of inotify
  int inotify_fd_ = -1;
  std::int64_t started_ms_ = 0;
  std::int64_t due_ms_ = INT64_MAX;
  char temporary_[PATH_MAX] = {};
};

}  // namespace hermes::shim
