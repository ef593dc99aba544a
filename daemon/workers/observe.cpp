#include "daemon/workers/observe.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>

#include "daemon/shim/record.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/process.hpp"

namespace hermes::workers {

namespace {

// In the order of shim::Stage.
constexpr auto k_stage_words = std::to_array<std::string_view>(
    {"none", "session", "signals", "parent", "log", "procfs", "pipe", "fork", "stdin", "nice",
     "memory", "cpu", "cwd", "descriptors", "exec", "io"});
static_assert(k_stage_words.size() == shim::k_stages);
static_assert(static_cast<std::uint32_t>(shim::Stage::io) + 1 == shim::k_stages);
static_assert(k_words<ExitKind>.size() == shim::k_exit_kinds);
static_assert(static_cast<std::uint32_t>(ExitKind::setup_failed) ==
              static_cast<std::uint32_t>(shim::ExitKind::setup_failed));

// A copy of the whole record. A record that is too short has no valid section.
class Record {
 public:
  static Result<Record> read(int fd, const fs::path& path) {
    Record record;
    ssize_t got = -1;
    do {
      got = ::pread(fd, record.bytes_.data(), record.bytes_.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return std::unexpected(system_error("read", path, errno));
    }
    return record;
  }

  template <class Section>
  std::optional<Section> section() const {
    Section section{};
    return shim::load(bytes_.data(), section) ? std::optional(section) : std::nullopt;
  }

 private:
  alignas(8) std::array<char, shim::k_record_size> bytes_{};
};

Exit exit_from(const shim::Exit& told) {
  Exit exit;
  const auto kind = static_cast<std::uint32_t>(told.kind);
  exit.kind = kind < shim::k_exit_kinds ? static_cast<ExitKind>(kind) : ExitKind::setup_failed;
  exit.ended_at = {told.ended_ms};
  exit.max_rss_kb = told.max_rss_kb;
  exit.cpu_ms = told.cpu_ms;
  exit.stop_requested = told.stop_requested != 0;
  switch (exit.kind) {
    case ExitKind::exited:
      exit.code = told.code;
      break;
    case ExitKind::signaled:
      exit.code = told.signal;
      break;
    case ExitKind::timed_out:
      exit.code = told.signal != 0 ? 128 + told.signal : told.code;
      break;
    case ExitKind::exec_failed:
    case ExitKind::setup_failed: {
      const auto stage = static_cast<std::uint32_t>(told.stage);
      exit.code = told.error_number;
      exit.stage = stage < shim::k_stages ? k_stage_words[stage] : "unknown";
      break;
    }
  }
  return exit;
}

// A record that others wrote need not end its text.
std::string_view boot_of(const shim::Header& header) {
  return {header.boot, ::strnlen(header.boot, sizeof header.boot)};
}

std::optional<Observation> ended(const Record& record) {
  if (const auto exit = record.section<shim::Exit>()) {
    return Ended{exit_from(*exit)};
  }
  return std::nullopt;
}

Alive alive_from(const Record& record) {
  Alive alive;
  if (const auto armed = record.section<shim::Armed>()) {
    alive.pid = static_cast<pid_t>(armed->pid);
    alive.start = armed->start;
  }
  if (const auto worker = record.section<shim::Worker>()) {
    alive.worker_pid = static_cast<pid_t>(worker->pid);
    alive.worker_start = worker->start;
  }
  return alive;
}

// Who holds the lock. Nothing in three passing states, after which the record is looked at again:
// the shim has the lock and has not written `armed`; the lock was let go meanwhile; the shim was
// killed between fork and execve(2), where its child shares the lock until it dies too. If the shim
// was stopped before `armed`, the kernel's table of locks tells the PID.
std::optional<Alive> find_holder(const Record& record, const fs::path& path) {
  Alive alive = alive_from(record);
  if (alive.pid == 0) {
    alive.pid = flock_holder(path).value_or(0);
    alive.start = alive.pid == 0 ? 0 : process_start(alive.pid).value_or(0);
  }
  return alive.start != 0 && is_alive(alive.pid, alive.start) ? std::optional(alive) : std::nullopt;
}

Result<void> revoke(int fd, const fs::path& path) {
  shim::Revoked revoked{0, wall_clock_now().ms};
  revoked.checksum = shim::checksum_of(revoked);
  if (::pwrite(fd, &revoked, sizeof revoked, shim::Revoked::k_offset) != ssize_t{sizeof revoked}) {
    return std::unexpected(system_error("write", path, errno));
  }
  return {};
}

// With the lock held: no shim lives, and none can begin before the lock is let go.
Result<Observation> judge_free(int fd, const fs::path& path) {
  TRY_ASSIGN(const Record record, Record::read(fd, path));
  if (auto observation = ended(record)) {
    return *observation;
  }
  if (!record.section<shim::Started>()) {
    TRY(revoke(fd, path));
    return NeverStarted{};
  }
  const Alive last = alive_from(record);
  return ShimLost{last.worker_pid, last.worker_start};
}

// Without a word to anybody.
Result<Record> read_record(const fs::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    Error error = system_error("open", path, errno);
    error.code = errno == ENOENT ? ErrorCode::not_found : error.code;
    return std::unexpected(std::move(error));
  }
  return Record::read(file.get(), path);
}

constexpr auto k_arming = std::chrono::milliseconds{500};

// `boot` null: not asked.
Result<Observation> observe(const fs::path& path, const std::string* boot) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) {
      return NeverStarted{};  // a shim without a record refuses
    }
    return std::unexpected(system_error("open", path, errno));
  }
  for (const auto deadline = std::chrono::steady_clock::now() + k_arming;;) {
    TRY_ASSIGN(const Record record, Record::read(file.get(), path));
    const auto header = record.section<shim::Header>();
    if (boot != nullptr && header && boot_of(*header) != *boot) {
      return OtherBoot{};
    }
    if (auto observation = ended(record)) {
      return *observation;
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      return judge_free(file.get(), path);  // closing the file lets the lock go
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return std::unexpected(system_error("lock", path, errno));
    }
    if (const auto alive = find_holder(record, path)) {
      return *alive;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorCode::unavailable,
                  "the holder of the control record cannot be found: " + path.string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

}  // namespace

Result<Observation> adopt(const fs::path& record, const std::string& boot) {
  return observe(record, &boot);
}

std::optional<Exit> recorded_exit(const fs::path& path) {
  const auto record = read_record(path);
  const auto exit = record ? record->section<shim::Exit>() : std::nullopt;
  return exit ? std::optional(exit_from(*exit)) : std::nullopt;
}

Result<Worker> recorded_worker(const fs::path& path) {
  TRY_ASSIGN(const Record record, read_record(path));
  const auto worker = record.section<shim::Worker>();
  return worker ? Worker{static_cast<pid_t>(worker->pid), worker->start} : Worker{};
}

Result<Observation> observe_end(const fs::path& record) { return observe(record, nullptr); }

}  // namespace hermes::workers
