#include "kernel/home/removal.hpp"

#include <fcntl.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "kernel/base/files.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using hermes::test::TempDir;
namespace fs = std::filesystem;

namespace {

// A tree with one directory, which changes places with a link to elsewhere as fast as it can be
// done; what is removed of them is made again.
class Swapper {
 public:
  explicit Swapper(const fs::path& dir)
      : tree_(dir / "tree"), sub_(tree_ / "sub"), other_(dir / "other"), elsewhere_(dir / "there") {
    fs::create_directory(elsewhere_);
    REQUIRE(write_file_atomically(precious(), "precious"));
    fs::create_directory_symlink(elsewhere_, other_);
    thread_ = std::thread([this] {
      while (!stop_) {
        swap();
      }
    });
  }
  ~Swapper() {
    stop_ = true;
    thread_.join();
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;
  Swapper(Swapper&&) = delete;
  Swapper& operator=(Swapper&&) = delete;

  const fs::path& tree() const { return tree_; }
  fs::path precious() const { return elsewhere_ / "file"; }

 private:
  void swap() {
    if (::renameat2(AT_FDCWD, sub_.c_str(), AT_FDCWD, other_.c_str(), RENAME_EXCHANGE) == 0) {
      return;
    }
    std::error_code ignored;
    fs::create_directory(tree_, ignored);
    if (fs::is_symlink(fs::symlink_status(other_, ignored))) {
      fs::create_directory(sub_, ignored);
    } else {
      fs::create_directory_symlink(elsewhere_, sub_, ignored);
    }
  }

  fs::path tree_, sub_, other_, elsewhere_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// As one writes it at first: looks whether a name is a directory, and then goes by the name.
void remove_by_name(const fs::path& dir) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    if (fs::is_directory(fs::symlink_status(entry.path(), ignored))) {
      remove_by_name(entry.path());
    }
    fs::remove(entry.path(), ignored);
  }
  fs::remove(dir, ignored);
}

}  // namespace

TEST_CASE("while a tree is removed its directories turn into links, and nothing else goes",
          "[threads]") {
  const TempDir dir;
  fs::create_directory(dir / "control");
  fs::create_directory(dir / "ours");
  {
    const Swapper control(dir / "control");
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (fs::exists(control.precious())) {  // so the race is met here
      REQUIRE(std::chrono::steady_clock::now() < limit);
      remove_by_name(control.tree());
    }
  }
  const Swapper ours(dir / "ours");
  for (int i = 0; i < 20'000; ++i) {
    (void)home::remove_tree(ours.tree());  // fails where a directory has just become a link
    REQUIRE(fs::exists(ours.precious()));
  }
}
