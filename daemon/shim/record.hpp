#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

// The control record of one run: what a supervisor (hermes-shim) and its host tell each other
// without being parent and child.
//
// FORMAT, version 1. One file of exactly 4096 bytes, all of them written at creation, so that
// nothing later can fail for want of space. Little-endian. Unused bytes are zero.
//
//   offset  section   written by           when
//        0  header    host                 at creation; magic, version, boot, token
//      512  revoked   host, with the lock  no `started` was found and the run given up: a late shim
//                                          must refuse
//      768  armed     shim, with the lock  the lock is had: PID and start time of the shim
//     1024  started   shim                 before the fork: from here on the worker may have acted
//     1280  worker    shim                 after the execve(2): PID and start time of the worker
//     1536  exit      shim                 at the end, when no process of the run is left
//
// A section is its checksum (8 bytes), then its fields. The checksum is 64-bit FNV-1a (RFC 9923)
// over the section's offset (8 bytes) and the fields. A section whose checksum does not match is
// absent: it is torn, was never written, or is damaged.
//
// The lock: the shim holds an exclusive flock(2) on a description of its own (opened by path) while
// it lives. Who has the lock and reads no `started` may write `revoked`; the shim reads `revoked`
// only after it has the lock. So exactly one of "the worker starts" and "the run was given up"
// happens.
//
// No fsync: a record says nothing after a reboot, and `boot` tells.
//
// RULES FOR CHANGING THIS FORMAT. Shims of older versions run for days and are read by newer hosts.
//   1. Offsets, sizes and meanings of what is listed above never change.
//   2. New facts go into new sections at unused offsets. A reader ignores sections it does not
//      know.
//   3. New enumerators go at the end. A reader shows one it does not know as setup_failed.
//   4. `k_version` grows only when an older shim could no longer work with the record; a shim
//      refuses any other version. Hosts read every version for ever.
namespace hermes::shim {

inline constexpr std::size_t k_record_size = 4096;
inline constexpr std::uint64_t k_magic = 0x31'6d'69'68'73'6d'72'48ULL;  // "Hrmshim1"
inline constexpr std::uint32_t k_version = 1;

// How the shim process itself ends. Everything but 0 means that the run has not begun.
enum ShimStatus : int {
  k_run_recorded = 0,   // the exit section is written
  k_not_started = 100,  // the gate was closed, SIGTERM came first, or the record is revoked
  k_lock_busy = 101,    // somebody else holds the record
  k_setup_failed =
      102,  // no usable record, or a step of the set-up failed (then the exit section names it)
};

enum class ExitKind : std::uint32_t {
  exited,        // `code` is the exit code
  signaled,      // `signal` is the signal
  exec_failed,   // the command could not be executed: `stage`, `error_number`
  timed_out,     // the runtime limit struck; `code` or `signal` tell how the worker ended then
  setup_failed,  // the shim could not prepare the run; the command was never tried: `stage`,
                 // `error_number`
};
inline constexpr std::uint32_t k_exit_kinds = 5;

// The step that failed, for exec_failed and setup_failed. Words for people: k_stage_words in
// workers/observe.cpp.
enum class Stage : std::uint32_t {
  none,
  session,  // setsid, subreaper
  signals,  // mask, dispositions, signalfd
  parent,   // PR_SET_PDEATHSIG
  log,      // open or duplicate the log
  procfs,   // /proc/thread-self/children
  pipe,
  fork,
  stdin_null,
  nice,
  memory,
  cpu,
  cwd,
  descriptors,
  exec,
  io,
};
inline constexpr std::uint32_t k_stages = 16;

struct Header {
  static constexpr std::size_t k_offset = 0;
  std::uint64_t checksum;
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t reserved;
  char boot[128];   // HostIdentity::boot, NUL-terminated
  char token[128];  // the run's token, NUL-terminated
};

struct Revoked {
  static constexpr std::size_t k_offset = 512;
  std::uint64_t checksum;
  std::int64_t at_ms;  // wall clock
};

struct Armed {
  static constexpr std::size_t k_offset = 768;
  std::uint64_t checksum;
  std::int64_t pid;
  std::uint64_t start;  // clock ticks since boot, field 22 of /proc/<pid>/stat
};

struct Started {
  static constexpr std::size_t k_offset = 1024;
  std::uint64_t checksum;
  std::int64_t at_ms;
};

struct Worker {
  static constexpr std::size_t k_offset = 1280;
  std::uint64_t checksum;
  std::int64_t pid;
  std::uint64_t start;
};

struct Exit {
  static constexpr std::size_t k_offset = 1536;
  std::uint64_t checksum;
  ExitKind kind;
  std::int32_t code;
  std::int32_t signal;
  Stage stage;
  std::int32_t error_number;
  std::uint32_t stop_requested;  // 1 when SIGTERM or SIGUSR2 came before the worker ended
  std::int64_t ended_ms;         // wall clock, when the worker was reaped
  std::int64_t cpu_ms;           // user + system, the worker and all its descendants
  std::int64_t max_rss_kb;       // of the largest of them
};

template <class Section>
consteval bool is_plain() {
  return std::is_trivially_copyable_v<Section> && std::is_standard_layout_v<Section> &&
         std::has_unique_object_representations_v<Section>;
}

static_assert(is_plain<Header>() && sizeof(Header) == 280 && offsetof(Header, boot) == 24 &&
              offsetof(Header, token) == 152);
static_assert(is_plain<Revoked>() && sizeof(Revoked) == 16 && offsetof(Revoked, at_ms) == 8);
static_assert(is_plain<Armed>() && sizeof(Armed) == 24 && offsetof(Armed, pid) == 8 &&
              offsetof(Armed, start) == 16);
static_assert(is_plain<Started>() && sizeof(Started) == 16 && offsetof(Started, at_ms) == 8);
static_assert(is_plain<Worker>() && sizeof(Worker) == 24 && offsetof(Worker, pid) == 8 &&
              offsetof(Worker, start) == 16);
static_assert(is_plain<Exit>() && sizeof(Exit) == 56 && offsetof(Exit, kind) == 8 &&
              offsetof(Exit, code) == 12 && offsetof(Exit, signal) == 16 &&
              offsetof(Exit, stage) == 20 && offsetof(Exit, error_number) == 24 &&
              offsetof(Exit, stop_requested) == 28 && offsetof(Exit, ended_ms) == 32 &&
              offsetof(Exit, cpu_ms) == 40 && offsetof(Exit, max_rss_kb) == 48);
static_assert(Header::k_offset + sizeof(Header) <= Revoked::k_offset);
static_assert(Exit::k_offset + sizeof(Exit) <= k_record_size);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the record is little-endian");

inline std::uint64_t fnv1a_bytes(std::uint64_t hash, const void* bytes, std::size_t count) {
  const auto* byte = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    hash = (hash ^ byte[i]) * 0x100000001b3ULL;
  }
  return hash;
}

template <class Section>
std::uint64_t checksum_of(const Section& section) {
  static_assert(is_plain<Section>() && offsetof(Section, checksum) == 0);
  const std::uint64_t offset = Section::k_offset;
  const std::uint64_t hash = fnv1a_bytes(0xcbf29ce484222325ULL, &offset, sizeof offset);
  return fnv1a_bytes(hash, reinterpret_cast<const char*>(&section) + sizeof section.checksum,
                     sizeof section - sizeof section.checksum);
}

// Copies a section out of the 4096 bytes at `record`; false when it is absent.
template <class Section>
bool load(const void* record, Section& section) {
  __builtin_memcpy(&section, static_cast<const char*>(record) + Section::k_offset, sizeof section);
  return section.checksum == checksum_of(section);
}

// Writes a section into the 4096 bytes at `record`. The checksum goes last: a reader of the shared
// mapping sees the whole section or none.
template <class Section>
void store(void* record, Section section) {
  char* at = static_cast<char*>(record) + Section::k_offset;
  section.checksum = checksum_of(section);
  __builtin_memcpy(at + sizeof section.checksum,
                   reinterpret_cast<const char*>(&section) + sizeof section.checksum,
                   sizeof section - sizeof section.checksum);
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), section.checksum, __ATOMIC_RELEASE);
}

}  // namespace hermes::shim
