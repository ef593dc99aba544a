#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "kernel/home/dispatcher_lock.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace hermes;
using namespace hermes::home;
using Catch::Matchers::Contains;
using hermes::test::TempDir;

namespace {

struct Ground {
  TempDir dir;
  Home home{dir.path()};
  Ground() { std::filesystem::create_directory(home.run()); }
};

// A process that holds the lock until it is killed.
class Holder {
 public:
  explicit Holder(const Home& home) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const auto lock = take_dispatcher_lock(home);
      [[maybe_unused]] const auto put = ::write(ends[1], lock ? "y" : "n", 1);
      while (true) {
        ::pause();
      }
    }
    ::close(ends[1]);
    char answer = 0;
    const auto got = ::read(ends[0], &answer, 1);
    ::close(ends[0]);
    REQUIRE(got == 1);
    REQUIRE(answer == 'y');
  }
  ~Holder() { kill(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }

 private:
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("without a run directory no dispatcher is alive, and a look leaves nothing behind") {
  const TempDir dir;
  const Home home{dir.path()};
  CHECK_FALSE(dispatcher_state(home).alive);
  CHECK(std::filesystem::is_empty(dir.path()));
  CHECK_FALSE(take_dispatcher_lock(home));
}

TEST_CASE("the second dispatcher is refused and told who is the first") {
  const Ground ground;
  Holder first(ground.home);
  CHECK(dispatcher_state(ground.home).alive);
  CHECK(dispatcher_state(ground.home).pid == first.pid());
  const auto second = take_dispatcher_lock(ground.home);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::locked);
  CHECK_THAT(second.error().message, Contains("PID " + std::to_string(first.pid())));
}

TEST_CASE("a start that waits for a pass is not refused at the moment when the pass ends",
          "[threads]") {
  const Ground ground;
  auto pass = take_dispatcher_lock(ground.home, LockPurpose::pass);
  REQUIRE(pass);
  std::optional<Result<Fd>> taken;
  std::thread starter([&] { taken = take_dispatcher_lock(ground.home); });
  std::this_thread::sleep_for(Millis{600});  // longer than a dispatcher is waited for
  // Held still, and nobody is named: so it looks where it ends between the two looks of the other.
  REQUIRE(::ftruncate(pass->get(), 0) == 0);
  std::this_thread::sleep_for(Millis{50});
  pass->reset();
  starter.join();
  CHECK(*taken);
}

TEST_CASE("a killed dispatcher frees the lock at once") {
  const Ground ground;
  Holder first(ground.home);
  first.kill();
  CHECK_FALSE(dispatcher_state(ground.home).alive);
  CHECK_FALSE(dispatcher_state(ground.home).pid);
  CHECK(take_dispatcher_lock(ground.home));
}

TEST_CASE("the lock works through a link to the run directory") {
  const TempDir dir;
  const Home home{dir.path()};
  std::filesystem::create_directory(dir / "elsewhere");
  std::filesystem::create_symlink(dir / "elsewhere", home.run());
  const Holder first(home);
  CHECK(dispatcher_state(home).pid == first.pid());
  CHECK(std::filesystem::exists(dir / "elsewhere" / "dispatcher.lock"));
}

TEST_CASE("a look at the lock does not keep a dispatcher from starting", "[threads]") {
  const Ground ground;
  REQUIRE(take_dispatcher_lock(ground.home));
  Fd look(::open(ground.home.dispatcher_lock().c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(look.get(), LOCK_SH | LOCK_NB) == 0);
  std::optional<Result<Fd>> taken;
  std::thread starter([&] { taken = take_dispatcher_lock(ground.home); });
  CHECK_FALSE(dispatcher_state(ground.home).alive);  // a look is not a dispatcher either
  look.reset();
  starter.join();
  CHECK(*taken);
}
