// Preloaded into a program under test; makes happen what a test cannot wait for.
//   HERMES_TEST_DIE_AT=N   SIGKILL instead of the N-th call that leaves a trace outside the process
//   HERMES_TEST_EIO=FILE   while FILE exists, reading, writing and syncing the board "default" fail
//   HERMES_TEST_CLOSES=FILE  a line for each close(2) of what is not open, or not any more
//   HERMES_TEST_SQLITE=TEXT  what the SQLite that is loaded calls its version and its source
//   HERMES_TEST_FS=NUMBER  the type of every filesystem, as statfs(2) tells it
//   HERMES_TEST_CLOCK=FILE while FILE exists, the wall clock is an hour behind
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's own names are
// reserved ones

static void step(void) {
  static int left = -1;
  if (environ == NULL) {
    return;  // a sanitizer at its own start, before there is an environment
  }
  if (left < 0) {
    const char* at = getenv("HERMES_TEST_DIE_AT");
    left = at != NULL && *at != '\0' ? atoi(at) : 1 << 30;
  }
  if (--left == 0) {
    kill(getpid(), SIGKILL);
  }
}

static int is_broken(int fd) {
  const char* file = getenv("HERMES_TEST_EIO");
  if (file == NULL || *file == '\0' || access(file, F_OK) != 0) {
    return 0;
  }
  char link[64];
  char target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, target, sizeof target - 1);
  if (size < 0) {
    return 0;
  }
  target[size] = '\0';
  return strstr(target, "/boards/default/board.db") != NULL;
}

#define REAL(name)                                     \
  static __typeof__(name)* real = NULL;                \
  if (real == NULL) {                                  \
    real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name); \
  }

#define FAIL_WHEN_BROKEN(fd) \
  if (is_broken(fd)) {       \
    errno = EIO;             \
    return -1;               \
  }

int fdatasync(int fd) {
  REAL(fdatasync)
  FAIL_WHEN_BROKEN(fd)
  step();
  return real(fd);
}

int fsync(int fd) {
  REAL(fsync)
  FAIL_WHEN_BROKEN(fd)
  step();
  return real(fd);
}

ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) {
  REAL(pread64)
  FAIL_WHEN_BROKEN(fd)
  return real(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  REAL(pwrite64)
  FAIL_WHEN_BROKEN(fd)
  step();
  return real(fd, bytes, size, at);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write)
  step();
  return real(fd, bytes, size);
}

int open64(const char* path, int flags, ...) {
  REAL(open64)
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if ((flags & O_CREAT) != 0) {
    step();
  }
  return real(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  REAL(open)
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if ((flags & O_CREAT) != 0) {
    step();
  }
  return real(path, flags, mode);
}

enum { k_parked = 200, k_numbers = 4096 };

// A number that was closed is kept from being given out again until 200 others have been closed:
// who closes it a second time would close somebody else's.
static char is_parked[k_numbers];

static void park(int fd, int (*really_close)(int)) {
  static int parked[k_parked];
  static unsigned next = 0;
  static unsigned number = 0;
  if (fd >= k_numbers) {
    return;
  }
  const int null = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0);
  if (null < 0) {
    return;
  }
  if (null != fd) {
    syscall(SYS_dup3, null, fd, O_CLOEXEC);
    really_close(null);
  }
  if (number == k_parked) {
    is_parked[parked[next]] = 0;
    really_close(parked[next]);
  } else {
    ++number;
  }
  is_parked[fd] = 1;
  parked[next] = fd;
  next = (next + 1) % k_parked;
}

static void tell_close(const char* file, int fd, int (*really_close)(int)) {
  const int to = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  char line[32];
  const int size = snprintf(line, sizeof line, "%d\n", fd);
  syscall(SYS_write, to, line, (size_t)size);
  really_close(to);
}

int close(int fd) {
  REAL(close)
  const char* file = environ != NULL ? getenv("HERMES_TEST_CLOSES") : NULL;
  if (file == NULL || *file == '\0') {
    return real(fd);
  }
  const int before = errno;
  const int again = fd >= 0 && fd < k_numbers && is_parked[fd];
  const int problem = again ? EBADF : real(fd) == 0 ? 0 : errno;
  if (problem == EBADF) {
    tell_close(file, fd, real);
  } else if (problem == 0) {
    park(fd, real);
  }
  errno = problem == 0 ? before : problem;
  return problem == 0 ? 0 : -1;
}

static const char* other_sqlite(const char* name, const char* (*real)(void)) {
  const char* said = getenv(name);
  return said != NULL && *said != '\0' ? said : real();
}

const char* sqlite3_libversion(void) {
  static const char* (*real)(void) = NULL;
  if (real == NULL) {
    real = (const char* (*)(void))dlsym(RTLD_NEXT, "sqlite3_libversion");
  }
  return other_sqlite("HERMES_TEST_SQLITE", real);
}

const char* sqlite3_sourceid(void) {
  static const char* (*real)(void) = NULL;
  if (real == NULL) {
    real = (const char* (*)(void))dlsym(RTLD_NEXT, "sqlite3_sourceid");
  }
  return other_sqlite("HERMES_TEST_SQLITE", real);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  REAL(clock_gettime)
  const int problem = real(clock, now);
  const char* file = getenv("HERMES_TEST_CLOCK");
  if (clock == CLOCK_REALTIME && file != NULL && *file != '\0' && access(file, F_OK) == 0) {
    now->tv_sec -= 3600;
  }
  return problem;
}

static void pretend(struct statfs* facts) {
  const char* type = getenv("HERMES_TEST_FS");
  if (type != NULL && *type != '\0') {
    facts->f_type = strtol(type, NULL, 0);
  }
}

int statfs(const char* path, struct statfs* facts) {
  REAL(statfs)
  const int problem = real(path, facts);
  pretend(facts);
  return problem;
}

int statfs64(const char* path, struct statfs64* facts) {
  REAL(statfs64)
  const int problem = real(path, facts);
  pretend((struct statfs*)facts);  // the same on 64-bit systems
  return problem;
}

int mkdir(const char* path, mode_t mode) {
  REAL(mkdir)
  step();
  return real(path, mode);
}

int unlink(const char* path) {
  REAL(unlink)
  step();
  return real(path);
}

int rename(const char* from, const char* to) {
  REAL(rename)
  step();
  return real(from, to);
}

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* files,
                const posix_spawnattr_t* attributes, char* const argv[], char* const env[]) {
  REAL(posix_spawn)
  step();
  const int problem = real(pid, path, files, attributes, argv, env);
  step();
  return problem;
}

// Signals go through it: the C library of Debian 12 has no name for this call.
long syscall(long number, ...) {
  REAL(syscall)
  va_list more;
  va_start(more, number);
  long words[6];
  for (int i = 0; i < 6; ++i) {
    words[i] = va_arg(more, long);
  }
  va_end(more);
  const int signals = number == SYS_pidfd_send_signal;
  if (signals) {
    step();
  }
  const long result = real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  if (signals) {
    step();
  }
  return result;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
