#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "daemon/shim/record.hpp"
#include "kernel/base/words.hpp"
#include "support/wait.hpp"
#include "workers/rig.hpp"

using namespace hermes;
using namespace hermes::workers;
using namespace hermes::workers::test;

namespace {

// A record as a host writes it, to which a test adds what it wants to claim.
class ForgedRecord {
 public:
  explicit ForgedRecord(std::string_view boot) {
    shim::Header header{};
    header.magic = shim::k_magic;
    header.version = shim::k_version;
    boot.copy(header.boot, sizeof header.boot - 1);
    with(header);
  }
  template <class Section>
  ForgedRecord& with(const Section& section) {
    shim::store(bytes_.data(), section);
    return *this;
  }
  ForgedRecord& damage(std::size_t offset) {
    bytes_[offset] = static_cast<char>(bytes_[offset] ^ 1);
    return *this;
  }
  void write(const fs::path& path) const {
    std::ofstream(path, std::ios::binary)
        .write(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
  }

 private:
  alignas(8) std::array<char, shim::k_record_size> bytes_{};
};

shim::Exit exited(int code) {
  shim::Exit exit{};
  exit.kind = shim::ExitKind::exited;
  exit.code = code;
  exit.ended_ms = 1234;
  return exit;
}

template <class Expected>
Expected adopted(const Rig& rig) {
  const auto seen = adopt(rig.record(), rig.boot());
  if (!seen) {
    FAIL(one_line(seen.error()));
  }
  INFO("alternative " << seen->index());
  REQUIRE(std::holds_alternative<Expected>(*seen));
  return std::get<Expected>(*seen);
}

// Runs a shim by hand with its gate wide open: /dev/zero gives it the byte at once. Returns its
// exit status.
int run_late_shim(const Rig& rig, const std::string& command) {
  const std::string line = k_shim.string() + " --gate-fd 0 --record " + rig.record().string() +
                           " --log " + rig.log().string() + " --log-older " +
                           rig.log_older().string() + " --cwd / -- " + command + " < /dev/zero";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a missing record means that the run never started", "[workers]") {
  const Rig rig;
  adopted<NeverStarted>(rig);
  CHECK(run_late_shim(rig, "touch " + rig.path("ran").string()) == shim::k_setup_failed);
  CHECK_FALSE(fs::exists(rig.path("ran")));
}

TEST_CASE("a record of another boot is ignored, whatever it says", "[workers]") {
  const Rig rig;
  ForgedRecord("another-boot").with(shim::Started{0, 1}).with(exited(3)).write(rig.record());
  adopted<OtherBoot>(rig);
}

TEST_CASE("a name of a boot that fills its place ends there", "[workers]") {
  const Rig rig;
  shim::Header header{};
  std::memset(header.boot, 'b', sizeof header.boot);
  std::memset(header.token, 't', sizeof header.token);
  ForgedRecord("").with(header).with(exited(3)).write(rig.record());
  const auto seen = adopt(rig.record(), std::string(sizeof header.boot, 'b'));
  REQUIRE(seen);
  CHECK(std::holds_alternative<Ended>(*seen));
}

TEST_CASE("a valid exit is believed", "[workers]") {
  const Rig rig;
  shim::Exit told = exited(3);
  told.stop_requested = 1;
  told.cpu_ms = 5;
  told.max_rss_kb = 6;
  ForgedRecord(rig.boot()).with(shim::Started{0, 1}).with(told).write(rig.record());
  const Exit exit = adopted<Ended>(rig).exit;
  CHECK(to_word(exit.kind) == "exited");
  CHECK(exit.code == 3);
  CHECK(exit.ended_at == Instant{1234});
  CHECK(exit.stop_requested);
  CHECK(exit.cpu_ms == 5);
  CHECK(exit.max_rss_kb == 6);
}

TEST_CASE("an exit with a wrong checksum is not there", "[workers]") {
  const Rig rig;
  for (const std::size_t byte : {0, 8, 55}) {
    ForgedRecord(rig.boot())
        .with(shim::Started{0, 1})
        .with(shim::Worker{0, 4711, 99})
        .with(exited(3))
        .damage(shim::Exit::k_offset + byte)
        .write(rig.record());
    const ShimLost lost = adopted<ShimLost>(rig);
    CHECK(lost.worker_pid == 4711);
    CHECK(lost.worker_start == 99);
  }
}

TEST_CASE("a section of another place is not valid there", "[workers]") {
  shim::Started section{0, 1};
  section.checksum = shim::checksum_of(section);
  std::array<char, shim::k_record_size> bytes{};
  __builtin_memcpy(bytes.data() + shim::Revoked::k_offset, &section, sizeof section);
  shim::Revoked revoked{};
  CHECK_FALSE(shim::load(bytes.data(), revoked));
}

TEST_CASE("an exit of a kind or stage from the future is shown as a failed set-up", "[workers]") {
  const Rig rig;
  shim::Exit told = exited(0);
  told.kind = static_cast<shim::ExitKind>(77);
  told.stage = static_cast<shim::Stage>(78);
  ForgedRecord(rig.boot()).with(told).write(rig.record());
  const Exit exit = adopted<Ended>(rig).exit;
  CHECK(to_word(exit.kind) == "setup_failed");
  CHECK(exit.stage == "unknown");
}

TEST_CASE("a living shim is found by its lock, at the gate and beyond", "[workers]") {
  const Rig rig;
  Result<HeldShim> shim = start_shim(k_shim, rig.launch({k_helper, "stay"}));
  REQUIRE(shim);
  // The shim may not have come to its lock; waiting for `armed` here, because adopting earlier
  // turns it away.
  shim::Armed armed{};
  while (!shim::load(file_text(rig.record()).data(), armed)) {
    REQUIRE_FALSE(reap(shim->pidfd()));
  }
  Alive alive = adopted<Alive>(rig);
  CHECK(alive.pid == shim->pid());
  CHECK(alive.start == shim->start());
  CHECK(alive.worker_pid == 0);
  REQUIRE(open_gate(*shim));
  REQUIRE(rig.wait_for_log("ready"));
  // The worker may be quicker than the shim that writes its PID down.
  CHECK(::hermes::test::wait_until([&] {
    alive = adopted<Alive>(rig);
    return alive.worker_pid != 0;
  }));
  CHECK(open_process(alive.worker_pid, alive.worker_start));
  REQUIRE(kill_now(shim->pidfd()));
  CHECK(rig.wait_for_end(*shim) == 0);
  CHECK(adopted<Ended>(rig).exit.code == 9);
}

TEST_CASE("a lock whose holder has written nothing yet is alive, never free", "[workers]") {
  const Rig rig;
  ForgedRecord(rig.boot()).write(rig.record());
  const Fd holder(::open(rig.record().c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(holder.get(), LOCK_EX | LOCK_NB) == 0);
  CHECK(adopted<Alive>(rig).pid == ::getpid());
  CHECK(run_late_shim(rig, "touch " + rig.path("ran").string()) == shim::k_lock_busy);
  CHECK_FALSE(fs::exists(rig.path("ran")));
}

TEST_CASE("a run given up before its shim came to the lock is refused by it", "[workers]") {
  const Rig rig;
  ForgedRecord(rig.boot()).write(rig.record());
  adopted<NeverStarted>(rig);
  CHECK(run_late_shim(rig, "touch " + rig.path("ran").string()) == shim::k_not_started);
  CHECK_FALSE(fs::exists(rig.path("ran")));
  adopted<NeverStarted>(rig);
}

TEST_CASE("a record serves one run: a second shim on it refuses", "[workers]") {
  const Rig rig;
  ForgedRecord(rig.boot()).write(rig.record());
  CHECK(run_late_shim(rig, "true") == shim::k_run_recorded);
  CHECK(run_late_shim(rig, "touch " + rig.path("ran").string()) == shim::k_not_started);
  CHECK_FALSE(fs::exists(rig.path("ran")));
  CHECK(adopted<Ended>(rig).exit.code == 0);
}

TEST_CASE("a shim refuses a record that it does not know", "[workers]") {
  const Rig rig;
  SECTION("damaged header") { ForgedRecord(rig.boot()).damage(30).write(rig.record()); }
  SECTION("too short") { std::ofstream(rig.record()) << "short"; }
  SECTION("another version") {
    shim::Header header{};
    header.magic = shim::k_magic;
    header.version = shim::k_version + 1;
    ForgedRecord(rig.boot()).with(header).write(rig.record());
  }
  CHECK(run_late_shim(rig, "touch " + rig.path("ran").string()) == shim::k_setup_failed);
  CHECK_FALSE(fs::exists(rig.path("ran")));
}

TEST_CASE("started without an exit and without a lock means that the shim is lost", "[workers]") {
  const Rig rig;
  ForgedRecord(rig.boot()).with(shim::Armed{0, 1, 1}).with(shim::Started{0, 1}).write(rig.record());
  CHECK(adopted<ShimLost>(rig).worker_pid == 0);
}

TEST_CASE("a set-up that failed names its step", "[workers]") {
  const Rig rig;
  ForgedRecord(rig.boot()).write(rig.record());
  fs::create_directory(rig.log());  // cannot be opened for writing
  CHECK(run_late_shim(rig, "true") == shim::k_setup_failed);
  const Exit exit = adopted<Ended>(rig).exit;
  CHECK(to_word(exit.kind) == "setup_failed");
  CHECK(exit.stage == "log");
  CHECK(exit.code == EISDIR);
}

TEST_CASE("a record that cannot be read is an error, not a verdict", "[workers]") {
  const Rig rig;
  fs::create_directory(rig.record());
  const auto seen = adopt(rig.record(), rig.boot());
  REQUIRE_FALSE(seen);
  CHECK(seen.error().code == ErrorCode::unavailable);
}

TEST_CASE("adopting against a shim that is just starting gives one answer, and it is kept",
          "[workers]") {
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    const Rig rig;
    const HeldShim shim = rig.go(rig.launch({"touch", rig.path("ran")}));
    // From adopting at once to adopting when the worker may be done.
    const auto instant = std::chrono::steady_clock::now() + std::chrono::microseconds{10 * round};
    while (std::chrono::steady_clock::now() < instant) {
    }
    const auto seen = adopt(rig.record(), rig.boot());
    REQUIRE(seen);
    const int status = rig.wait_for_end(shim);
    if (std::holds_alternative<NeverStarted>(*seen)) {
      ++refused;
      CHECK((status == shim::k_not_started || status == shim::k_lock_busy));
      CHECK_FALSE(fs::exists(rig.path("ran")));
      adopted<NeverStarted>(rig);
    } else {
      CHECK((std::holds_alternative<Alive>(*seen) || std::holds_alternative<Ended>(*seen)));
      CHECK(status == shim::k_run_recorded);
      CHECK(fs::exists(rig.path("ran")));
      CHECK(adopted<Ended>(rig).exit.code == 0);
    }
  }
  INFO("refused " << refused << " of 150");
  CHECK(refused > 0);
  CHECK(refused < 150);
}
