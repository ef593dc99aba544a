#include "log_cap.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermes::shim {

namespace {

constexpr std::int64_t k_fast_ms = 10;
constexpr std::int64_t k_slow_ms = 100;
constexpr std::int64_t k_without_inotify_ms = 500;
constexpr std::int64_t k_inotify_after_ms = 300;
constexpr std::int64_t k_first_look_ms = 20;

char copy_buffer[64 * 1024];  // untouched, and so without memory, until a log grows too long

bool write_all(int fd, const char* data, ssize_t count) {
  while (count > 0) {
    const ssize_t put = write(fd, data, static_cast<std::size_t>(count));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return false;
    }
    data += put;
    count -= put;
  }
  return true;
}

}  // namespace

void LogCap::start(int log_fd, const char* log, const char* older, std::int64_t cap,
                   std::int64_t now_ms) {
  const std::size_t length = strlen(older);
  if (cap <= 0 || length + sizeof ".tmp" > sizeof temporary_) {
    return;
  }
  memcpy(temporary_, older, length);
  memcpy(temporary_ + length, ".tmp", sizeof ".tmp");
  fd_ = log_fd;
  log_ = log;
  older_ = older;
  cap_ = cap;
  started_ms_ = now_ms;
  due_ms_ = now_ms + k_first_look_ms;
}

void LogCap::settle(std::int64_t now_ms, bool changed) {
  if (fd_ < 0 || (!changed && now_ms < due_ms_)) {
    return;
  }
  if (inotify_fd_ >= 0) {
    // Emptied before the look: what is written after the look leaves an event behind.
    char events[4096];
    while (read(inotify_fd_, events, sizeof events) > 0) {
    }
  }
  plan_next(now_ms, cut_if_needed());
}

void LogCap::finish() {
  if (fd_ >= 0) {
    cut_if_needed();
  }
}

void LogCap::plan_next(std::int64_t now_ms, std::int64_t grown) {
  waiting_ = false;
  if (grown > cap_ / 16) {
    due_ms_ = now_ms + k_fast_ms;
  } else if (grown != 0) {
    due_ms_ = now_ms + k_slow_ms;
  } else if (inotify_fd_ < 0 && now_ms - started_ms_ < k_inotify_after_ms) {
    due_ms_ = now_ms + (now_ms - started_ms_);
  } else if (inotify_fd_ < 0) {
    start_inotify(now_ms);
  } else {
    waiting_ = true;
    due_ms_ = INT64_MAX;
  }
}

// A user has few inotify instances (fs.inotify.max_user_instances); without one the timer does it.
void LogCap::start_inotify(std::int64_t now_ms) {
  inotify_fd_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify_fd_ >= 0 && inotify_add_watch(inotify_fd_, log_, IN_MODIFY) < 0) {
    close(inotify_fd_);
    inotify_fd_ = -1;
  }
  // One more look by timer: what was written before the watch existed left no event.
  due_ms_ = now_ms + (inotify_fd_ >= 0 ? k_fast_ms : k_without_inotify_ms);
}

// How much the log has grown since the last look, measured before the cut.
std::int64_t LogCap::cut_if_needed() {
  struct stat facts {};
  if (fstat(fd_, &facts) != 0) {
    return 0;
  }
  if (facts.st_size < base_) {
    base_ = 0;  // the worker truncated its own log
  }
  const off_t length = facts.st_size - base_;
  const std::int64_t grown = length - seen_;
  seen_ = length;
  if (length <= cap_) {
    return grown;
  }
  // Cuts are made in whole blocks and never reach the end of the file (fallocate(2)).
  const off_t block = facts.st_blksize > 0 ? facts.st_blksize : 4096;
  const off_t head = (facts.st_size - 1) / block * block;
  if (head <= base_) {
    return grown;
  }
  const off_t from = head - base_ > cap_ ? head - cap_ : base_;
  if (!copy_head(from, head)) {
    unlink(temporary_);
  }
  cut(head, facts.st_size, block);
  return grown;
}

bool LogCap::copy_head(off_t from, off_t to) {
  if (!write_temporary(from, to)) {
    if (errno != ENOSPC && errno != EDQUOT) {
      return false;
    }
    // The generation that is about to be replaced is what can be given up.
    unlink(older_);
    if (!write_temporary(from, to)) {
      return false;
    }
  }
  return rename(temporary_, older_) == 0;
}

bool LogCap::write_temporary(off_t from, off_t to) {
  // Made anew: what lies there is of a killed shim, or a worker's trap (a FIFO would be waited for,
  // a second name of another file would empty that).
  unlink(temporary_);
  const int out = open(temporary_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (out < 0) {
    return false;
  }
  bool whole = true;
  while (whole && from < to) {
    const off_t left = to - from;
    const std::size_t want =
        left < off_t{sizeof copy_buffer} ? static_cast<std::size_t>(left) : sizeof copy_buffer;
    const ssize_t got = pread(fd_, copy_buffer, want, from);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got == 0) {
      break;  // truncated under our hands: what there is has been copied
    }
    whole = got > 0 && write_all(out, copy_buffer, got);
    from += got;
  }
  const int error_number = errno;
  close(out);
  errno = error_number;
  return whole;
}

void LogCap::cut(off_t head, off_t size, off_t block) {
  if (collapse_ && base_ % block == 0) {
    if (fallocate(fd_, FALLOC_FL_COLLAPSE_RANGE, base_, head - base_) == 0) {
      seen_ = size - head;
      return;
    }
    collapse_ = errno == EINTR || errno == ENOSPC;
  }
  if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, head) == 0) {
    base_ = head;
    seen_ = size - head;
    return;
  }
  if (errno == EOPNOTSUPP && ftruncate(fd_, 0) == 0) {
    base_ = 0;
    seen_ = 0;
  }
}

}  // namespace hermes::shim
