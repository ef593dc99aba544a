#include "support/temp_dir.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <stdexcept>

namespace hermes::test {

namespace {

std::filesystem::path root_of(TempDir::Storage storage) {
  const std::filesystem::path memory = "/dev/shm";
  return storage == TempDir::Storage::memory && access(memory.c_str(), W_OK) == 0
             ? memory
             : std::filesystem::temp_directory_path();
}

}  // namespace

TempDir::TempDir(Storage storage) {
  std::string pattern = (root_of(storage) / "hermes-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary directory from " + pattern);
  }
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void remove_run_directory(const std::filesystem::path& home) {
  std::error_code ignored;
  if (const auto memory = std::filesystem::read_symlink(home / "run", ignored);
      memory.string().starts_with("/dev/shm/hermes-")) {
    std::filesystem::remove_all(memory, ignored);
  }
}

}  // namespace hermes::test
