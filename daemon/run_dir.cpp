#include "daemon/run_dir.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"

namespace hermes::daemon {

namespace {

constexpr const char* k_memory = "/dev/shm";

bool leads_to_directory(const home::fs::path& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

// /dev/shm is everybody's: a directory that somebody else put there first is not ours, whatever its
// name.
bool make_private(const home::fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return false;
  }
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         facts.st_uid == ::geteuid() && (facts.st_mode & 077) == 0;
}

// One home has one directory, whatever link or mount it is reached by and whatever it is renamed
// to, and a copy of it has another: its name comes from the inode and the time of its birth.
Result<home::fs::path> memory_of(const home::Home& home) {
  struct statx facts {};
  if (::statx(AT_FDCWD, home.dir.c_str(), 0, STATX_INO | STATX_BTIME, &facts) != 0) {
    return std::unexpected(system_error("look at", home.dir, errno));
  }
  const std::string identity =
      fmt::format("{}:{} {} {}.{}", facts.stx_dev_major, facts.stx_dev_minor, facts.stx_ino,
                  facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec);
  return home::fs::path(k_memory) / fmt::format("hermes-{}-{:016x}", ::geteuid(), fnv1a(identity));
}

}  // namespace

Result<void> prepare_run_directory(const home::Home& home) {
  TRY_ASSIGN(const home::fs::path memory, memory_of(home));
  std::error_code ignored;
  if (home::fs::is_symlink(home.run(), ignored)) {
    if (home::fs::read_symlink(home.run(), ignored) == memory && make_private(memory)) {
      return {};
    }
    ::unlink(home.run()
                 .c_str());  // it leads nowhere, or to what is not ours; nothing in it need survive
  }
  if (!home::fs::exists(home::fs::symlink_status(home.run(), ignored)) &&
      leads_to_directory(k_memory) && make_private(memory) &&
      ::symlink(memory.c_str(), home.run().c_str()) == 0) {
    return {};
  }
  if (home::fs::is_symlink(home.run(), ignored)) {  // somebody was faster
    return {};
  }
  TRY(make_directory(home.run()));
  if (!make_private(home.run())) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} is not a private directory of ours", home.run().string()),
                "it must belong to you with mode 0700: remove it or mend it with chown and chmod");
  }
  return {};
}

}  // namespace hermes::daemon
