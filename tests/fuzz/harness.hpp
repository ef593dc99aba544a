#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"

// What libFuzzer calls with every input it makes up, and replay.cpp with every input that is kept.
// One target is one file that defines it.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hermes::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What a target promises. When it does not hold the process ends here, with the rule and with what
// breaks it, and the input counts as a find.
void require(bool holds, std::string_view rule, std::string_view what = {});

// Every mistake is told in a few sentences: never empty, without control characters, and never so
// long that it can only be an echo of what was given.
void require_told(std::string_view message);
void require_told(const Error& error);

template <class T>
void require_told(const Result<T>& result) {
  if (!result) {
    require_told(result.error());
  }
}

// Words that end in NUL each, as they stand in /proc/PID/cmdline. The byte 0x0e stands for a
// thousand times the byte before it, so that a short input can hold a long word.
std::vector<std::string> words_of(std::string_view input);

// A copy of a directory. The timer of libFuzzer interrupts system calls, which std::filesystem
// takes for failures: then it begins again.
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace hermes::fuzz
