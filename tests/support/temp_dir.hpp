#pragma once

#include <filesystem>
#include <string>

namespace hermes::test {

// A directory of the test's own, removed with everything in it at the end.
class TempDir {
 public:
  // In memory nothing waits for a disk: for tests of many small writes that nobody pulls the plug
  // on.
  enum class Storage { disk, memory };
  explicit TempDir(Storage storage = Storage::disk);
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A home keeps what does not outlive the machine in memory, beside it: to be removed with it.
void remove_run_directory(const std::filesystem::path& home);

}  // namespace hermes::test
