// A board whose disk is full. The disk is a small one in memory, which only root can have.
#include <fmt/core.h>
#include <sys/mount.h>

#include <fstream>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

// Puts a board's directory on a disk of 1.5 MB of its own.
class SmallDisk {
 public:
  explicit SmallDisk(BoardHand& board) : dir_(board.paths().dir), mounted_(move_to_disk(board)) {}
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(dir_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void fill() const {
    std::ofstream file(dir_ / "filler", std::ios::binary);
    const std::string page(4096, 'x');
    while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
    }
    REQUIRE(fs::space(dir_).available == 0);
  }
  void make_room() const { fs::remove(dir_ / "filler"); }

 private:
  bool move_to_disk(BoardHand& board) const {
    board.close();
    const fs::path aside = dir_.string() + ".aside";
    fs::rename(dir_, aside);
    fs::create_directory(dir_);
    const bool mounted = ::mount("none", dir_.c_str(), "tmpfs", 0, "size=1500k,mode=0700") == 0;
    fs::copy(aside, dir_, fs::copy_options::recursive);
    fs::remove_all(aside);
    return mounted;
  }

  fs::path dir_;
  bool mounted_;
};

bool can_mount(const SmallDisk& disk) {
  if (!disk.mounted()) {
    WARN("not tested: a tmpfs cannot be mounted here");
  }
  return disk.mounted();
}

bool told(const Rig& rig) { return rig.wait_until_said("board full cannot be served for now"); }

}  // namespace

TEST_CASE("a board on a full disk is served again when there is room, the others all the time",
          "[daemon][root]") {
  Rig rig;
  BoardHand& full = rig.board("full");
  BoardHand& good = rig.board();
  const std::string id = full.add("exit 0");
  const SmallDisk disk(full);
  rig.give_up("full");
  if (!can_mount(disk)) {
    return;
  }
  disk.fill();
  rig.start();
  REQUIRE(told(rig));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(good.wait_for(good.add("exit 0"), Status::done));
  }
  disk.make_room();
  REQUIRE(full.wait_for(id, Status::done));
  CHECK(rig.said().find("board full is served again") != std::string::npos);
  full.check_invariants();
  rig.kill_dispatcher();
  full.close();
}

TEST_CASE("the end of a worker on a disk that has filled up is recorded when there is room",
          "[daemon][root]") {
  Rig rig("[dispatcher]\nfailure_limit = 1\n");
  BoardHand& full = rig.board("full");
  BoardHand& good = rig.board();
  const std::string id = full.add(rig.waits_for("go") + "; exit 6");
  const SmallDisk disk(full);
  rig.give_up("full");
  if (!can_mount(disk)) {
    return;
  }
  rig.start();
  REQUIRE(full.wait_until_works(id));
  full.close();
  disk.fill();
  const bool restart = GENERATE(false, true);
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  REQUIRE(told(rig));
  if (restart) {
    rig.kill_dispatcher();
    rig.start();
  }
  REQUIRE(good.wait_for(good.add("exit 0"), Status::done));
  disk.make_room();
  REQUIRE(full.wait_for(id, Status::blocked));
  INFO(full.runs(id).front().error.value_or("no error") << "\n" << rig.said());
  CHECK(full.runs(id).size() == 1);
  CHECK(full.last_run(id).exit_code == 6);
  CHECK(full.last_run(id).outcome == Outcome::failed);
  full.check_invariants();
  rig.kill_dispatcher();
  full.close();
}

}  // namespace hermes::daemon::test
