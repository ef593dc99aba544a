#include "support/temp_dir.hpp"

#include <stdlib.h>

#include <stdexcept>

namespace hermes::test {

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "hermes-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary directory from " + pattern);
  }
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hermes::test
