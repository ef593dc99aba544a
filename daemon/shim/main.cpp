#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.hpp"
#include "proc.hpp"
#include "record.hpp"
#include "run.hpp"

// hermes-shim: the supervisor of one run. It is the worker's parent, its reaper and the reaper of
// everything the worker starts; it outlives the dispatcher, keeps the limits alone, and leaves the
// exit in the control record (record.hpp). It allocates nothing, parses no file, and knows nothing
// of boards. Exit status: record.hpp, ShimStatus.
//
// Signals: SIGTERM ends the worker gracefully (SIGTERM, then SIGKILL after the grace), SIGUSR2 at
// once. All others are ignored.

using namespace hermes::shim;

namespace {

// The mapped record, or null. `status` is what the shim exits with then.
void* take_record(const char* path, int& status) {
  status = k_setup_failed;
  // A description of our own: a lock on an inherited one would live as long as any copy of it
  // elsewhere.
  const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return nullptr;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    status = errno == EWOULDBLOCK ? k_lock_busy : k_setup_failed;
    return nullptr;
  }
  struct stat facts {};
  if (fstat(fd, &facts) != 0 || facts.st_size != off_t{k_record_size}) {
    return nullptr;
  }
  // Mapped: the pages are there, so that writing the exit cannot fail for want of space or of
  // memory for a buffer.
  void* record = mmap(nullptr, k_record_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  Header header{};
  if (record == MAP_FAILED || !load(record, header) || header.magic != k_magic ||
      header.version != k_version) {
    return nullptr;
  }
  // Only now, with the lock: who gave this run up wrote it while holding the lock. A record that
  // began before or ended is refused too: no record starts two workers.
  Revoked revoked{};
  Started started{};
  Exit ended{};
  if (load(record, revoked) || load(record, started) || load(record, ended)) {
    status = k_not_started;
    return nullptr;
  }
  store(record, Armed{0, getpid(), start_time_of(getpid())});
  return record;
}

int give_up(void* record, Stage stage, int error_number) {
  Exit failure{};
  failure.kind = ExitKind::setup_failed;
  failure.stage = stage;
  failure.error_number = error_number;
  failure.ended_ms = wall_ms();
  store(record, failure);
  return k_setup_failed;
}

// Waits for the byte that says go. False on end-of-file, SIGTERM and SIGUSR2.
bool wait_at_gate(int gate_fd, int signal_fd) {
  pollfd waited[2] = {{signal_fd, POLLIN, 0}, {gate_fd, POLLIN, 0}};
  while (true) {
    if (poll(waited, 2, -1) < 0 && errno != EINTR) {
      return false;
    }
    signalfd_siginfo got{};
    while (read(signal_fd, &got, sizeof got) == ssize_t{sizeof got}) {
      if (got.ssi_signo == SIGTERM || got.ssi_signo == SIGUSR2) {
        return false;
      }
    }
    if (waited[1].revents != 0) {
      char go = 0;
      const bool opened = read(gate_fd, &go, 1) == 1;
      close(gate_fd);
      return opened;
    }
  }
}

int supervise(const Options& options) {
  sigset_t all;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, nullptr) != 0) {
    return k_setup_failed;
  }
  signal(SIGCHLD, SIG_DFL);  // ignored, it would take the exit statuses away
  setsid();                  // fails only for a group leader, which a spawned child is not
  prctl(PR_SET_NAME, "hermes-shim");
  int status = 0;
  void* const record = take_record(options.record, status);
  if (record == nullptr) {
    return status;
  }
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return give_up(record, Stage::session, errno);
  }
  const int signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd < 0) {
    return give_up(record, Stage::signals, errno);
  }
  // Without it descendants could not be found at the end (CONFIG_PROC_CHILDREN).
  if (access("/proc/thread-self/children", R_OK) != 0) {
    return give_up(record, Stage::procfs, errno);
  }
  const int log_fd = open(options.log, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (log_fd < 0) {
    return give_up(record, Stage::log, errno);
  }
  if (!wait_at_gate(options.gate_fd, signal_fd)) {
    return k_not_started;
  }
  Run run(options, signal_fd, log_fd, record);
  return run.perform();
}

int say(int fd, const char* text, int status) {
  [[maybe_unused]] const ssize_t put = write(fd, text, strlen(text));
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    return say(STDOUT_FILENO, "hermes-shim " HERMES_VERSION "\n", 0);
  }
  Options options;
  if (!parse_options(argc, argv, options)) {
    return say(STDERR_FILENO,
               "hermes-shim: bad arguments. It is started by the dispatcher, not by hand:\n"
               "hermes-shim --gate-fd N --record PATH --log PATH --log-older PATH --log-cap BYTES "
               "--max-runtime-ms N\n"
               "            --stop-grace-ms N --cwd DIR [--nice N] [--memory-bytes N] "
               "[--cpu-seconds N] [--io-priority N] -- COMMAND [ARG...]\n",
               k_setup_failed);
  }
  return supervise(options);
}
