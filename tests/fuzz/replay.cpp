// replay FILE_OR_DIRECTORY...: runs the target over kept inputs, without a fuzzer. A broken rule
// ends it by SIGABRT after the name of the input.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/harness.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& given) {
  if (!fs::is_directory(given)) {
    return {given};
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(given)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

void replay(const fs::path& file) {
  fmt::print("{}\n", file.string());
  std::fflush(stdout);  // the last line names the input that ends us
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    throw std::runtime_error("cannot read it");
  }
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char* argv[]) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& file : files_in(fs::absolute(argv[i]))) {
      replay(file);
      ++count;
    }
  }
  fmt::print("{} inputs replayed\n", count);
  return count == 0 ? 1 : 0;  // a corpus that is not there proves nothing
}
