#include <poll.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <charconv>
#include <fstream>
#include <optional>

#include "workers/rig.hpp"

using namespace hermes;
using namespace hermes::workers;
using namespace hermes::workers::test;

namespace {

constexpr std::int64_t k_cap = 256 * 1024;
constexpr long k_lines = 1'500'000;  // 33 bytes each
constexpr std::string_view k_tail = " ................";

std::optional<long> number_of(std::string_view line) {
  long number = -1;
  if (!line.starts_with("line ") || !line.ends_with(k_tail) ||
      line.size() != 5 + 10 + k_tail.size() ||
      std::from_chars(line.data() + 5, line.data() + 15, number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

// Every whole line of `text` is well-formed and follows its predecessor. The first may be cut at
// its front, where the kept window begins. Returns the last number.
long check_contiguous(std::string_view text) {
  long last = -1;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    REQUIRE(end != std::string_view::npos);
    const std::optional<long> number = number_of(text.substr(0, end));
    if (!number) {
      INFO("torn: " << text.substr(0, end));
      REQUIRE(first);
    } else {
      if (last >= 0 && *number != last + 1) {
        FAIL("after line " << last << " comes line " << *number);
      }
      last = *number;
    }
    first = false;
    text.remove_prefix(end + 1);
  }
  return last;
}

std::int64_t bytes_on_disk(const fs::path& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_blocks * 512 : 0;
}

std::int64_t most_during(const Rig& rig, const HeldShim& shim) {
  std::int64_t most = 0;
  pollfd ended{shim.pidfd().get(), POLLIN, 0};
  while (::poll(&ended, 1, 1) == 0) {
    most = std::max(most, bytes_on_disk(rig.log()) + bytes_on_disk(rig.log_older()));
  }
  return most;
}

void check_fast_writer(const Rig& rig) {
  Launch launch = rig.launch({k_helper, "lines", std::to_string(k_lines)});
  launch.log_cap_bytes = k_cap;
  const HeldShim shim = rig.go(launch);
  const std::int64_t most = most_during(rig, shim);
  REQUIRE(rig.wait_for_end(shim) == 0);
  const std::string older = file_text(rig.log_older());
  const std::string current = rig.log_text();
  CHECK(check_contiguous(older + current) == k_lines - 1);
  CHECK(static_cast<std::int64_t>(older.size()) <= k_cap);
  CHECK(static_cast<std::int64_t>(older.size()) > k_cap / 2);
  CHECK(static_cast<std::int64_t>(current.size()) <= k_cap);
  CHECK(bytes_on_disk(rig.log()) <= k_cap + 8192);
  CHECK(most < k_lines * 33 / 2);  // it was kept short during the run, not only at its end
  CHECK_FALSE(fs::exists(rig.log_older().string() + ".tmp"));
}

}  // namespace

TEST_CASE("a fast writer's log stays bounded and loses no line of what is kept", "[workers]") {
  SECTION("where the head can be collapsed") {
    const Rig rig;
    check_fast_writer(rig);
  }
  SECTION("where it can only be punched out") {
    if (!fs::is_directory("/dev/shm")) {
      WARN("skipped: no tmpfs at /dev/shm");
      return;
    }
    const Rig rig("/dev/shm");
    check_fast_writer(rig);
  }
}

TEST_CASE("a log that begins to grow after a quiet time is bounded while the worker lives",
          "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({"sh", "-c",
                              "echo up; while [ ! -e go ]; do sleep 0.02; done; " + k_helper +
                                  " lines 40000; while :; do sleep 1; done"});
  launch.log_cap_bytes = k_cap;
  const HeldShim shim = rig.go(launch);
  REQUIRE(rig.wait_for_log("up"));
  // Longer than the looks by timer at the beginning of a run: from here on an event must wake the
  // shim.
  pollfd ended{shim.pidfd().get(), POLLIN, 0};
  REQUIRE(::poll(&ended, 1, 800) == 0);
  std::ofstream(rig.path("go")) << "";
  CHECK(rig.wait_for_log("line 0000039999"));
  const bool cut = hermes::workers::test::count_living(rig.token()) > 0 && [&] {
    for (int look = 0; look < 200; ++look) {
      if (fs::exists(rig.log_older()) &&
          static_cast<std::int64_t>(rig.log_text().size()) <= k_cap) {
        return true;
      }
      ::poll(&ended, 1, 20);
    }
    return false;
  }();
  CHECK(cut);
  REQUIRE(kill_now(shim.pidfd()));
  CHECK(rig.wait_for_end(shim) == 0);
}

TEST_CASE("a short log is left alone", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({k_helper, "lines", "100"});
  launch.log_cap_bytes = k_cap;
  rig.run(launch);
  CHECK(check_contiguous(rig.log_text()) == 99);
  CHECK_FALSE(fs::exists(rig.log_older()));
}

TEST_CASE("a log whose head cannot be copied is bounded all the same", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({k_helper, "lines", "40000"});
  launch.log_cap_bytes = k_cap;
  launch.log_older = rig.path("missing/older");
  rig.run(launch);
  CHECK(static_cast<std::int64_t>(rig.log_text().size()) <= k_cap);
  CHECK(rig.log_text().ends_with("line 0000039999" + std::string(k_tail) + "\n"));
}

TEST_CASE("without a bound a log keeps everything", "[workers]") {
  const Rig rig;
  rig.run({k_helper, "lines", "40000"});
  CHECK(check_contiguous(rig.log_text()) == 39999);
  CHECK(rig.log_text().starts_with("line 0000000000"));
}
