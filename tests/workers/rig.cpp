#include "workers/rig.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "daemon/workers/lost.hpp"
#include "kernel/base/random.hpp"
#include "support/wait.hpp"

namespace hermes::workers::test {

const fs::path k_shim = TEST_SHIM;
const std::string k_helper = TEST_HELPER;
const std::string k_starter = TEST_STARTER;

namespace {

std::string fresh_token() {
  SystemRandom random;
  return new_run_token(random);
}

constexpr int k_limit_ms = 20'000;

}  // namespace

Rig::Rig() : logs_(directory_.path()), token_(fresh_token()) {}

Rig::Rig(fs::path log_directory) : logs_(std::move(log_directory)), token_(fresh_token()) {}

Rig::~Rig() {
  hermes::test::wait_until([this] { return kill_leftovers(token_) == 0; });
  std::error_code ignored;
  fs::remove(log(), ignored);
  fs::remove(log_older(), ignored);
}

Launch Rig::launch(std::vector<std::string> argv) const {
  Launch launch;
  launch.argv = std::move(argv);
  launch.env = {"PATH=/usr/local/bin:/usr/bin:/bin", "HERMES_KANBAN_RUN_TOKEN=" + token_};
  launch.cwd = directory_.path();
  launch.record = record();
  launch.log = log();
  launch.log_older = log_older();
  launch.token = token_;
  launch.boot = boot_;
  return launch;
}

HeldShim Rig::go(const Launch& launch) const {
  Result<HeldShim> shim = start_shim(k_shim, launch);
  if (!shim) {
    FAIL(one_line(shim.error()));
  }
  const Result<void> opened = open_gate(*shim);
  INFO((opened ? "" : one_line(opened.error())));
  REQUIRE(opened);
  return std::move(*shim);
}

Exit Rig::run(const Launch& launch) const {
  const HeldShim shim = go(launch);
  REQUIRE(wait_for_end(shim) == 0);
  const Result<Observation> seen = observe_end(launch.record);
  REQUIRE(seen);
  REQUIRE(std::holds_alternative<Ended>(*seen));
  fs::remove(launch.record);
  return std::get<Ended>(*seen).exit;
}

int Rig::wait_for_end(const HeldShim& shim) const {
  pollfd ended{shim.pidfd().get(), POLLIN, 0};
  REQUIRE(::poll(&ended, 1, k_limit_ms) == 1);
  const std::optional<int> status = reap(shim.pidfd());
  REQUIRE(status);
  return *status;
}

bool Rig::wait_for_log(std::string_view text) const {
  return hermes::test::wait_until([&] { return log_text().find(text) != std::string::npos; });
}

std::string Rig::log_text() const {
  std::string text = file_text(log());
  text.erase(0, text.find_first_not_of('\0'));
  return text;
}

int count_living(std::string_view prefix) {
  const std::string wanted = std::string(k_token_variable) + "=" + std::string(prefix);
  int count = 0;
  for (const auto& entry :
       fs::directory_iterator("/proc", fs::directory_options::skip_permission_denied)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos &&
        file_text(entry.path() / "environ").find(wanted) != std::string::npos) {
      ++count;
    }
  }
  return count;
}

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void kill_shim(const Fd& pidfd) {
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

Subreaper::Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

Subreaper::~Subreaper() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace hermes::workers::test
