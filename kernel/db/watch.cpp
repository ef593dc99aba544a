#include "kernel/db/watch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/base/files.hpp"

namespace hermes::db {

Result<GateWatch> GateWatch::on(const std::filesystem::path& lock_file) {
  {
    const Fd copied_up(::open(lock_file.c_str(), O_RDWR | O_CLOEXEC));
    if (!copied_up && errno != EROFS && errno != EACCES) {
      return std::unexpected(system_error("open the write gate", lock_file, errno));
    }
  }
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd || ::inotify_add_watch(fd.get(), lock_file.c_str(),
                                 IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
    return std::unexpected(system_error("watch", lock_file, errno));
  }
  return GateWatch(std::move(fd));
}

GateWatch::Seen GateWatch::take() {
  Seen seen = Seen::nothing;
  alignas(inotify_event) std::array<char, 8192> buffer{};
  while (true) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      return seen;
    }
    for (ssize_t at = 0; at < got;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if ((event.mask &
           (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
        seen = Seen::lost;
      } else if (seen == Seen::nothing) {
        seen = Seen::written;
      }
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

bool GateWatch::wait(int ms) const {
  pollfd item{fd_.get(), POLLIN, 0};
  return ::poll(&item, 1, ms) > 0;
}

}  // namespace hermes::db
