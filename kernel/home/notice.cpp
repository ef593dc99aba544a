#include "kernel/home/notice.hpp"

#include <unistd.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_most_bytes = 4096;

fs::path path_of(const Home& home, const std::string& topic) {
  return home.run() / ("notice." + topic);
}

}  // namespace

void set_notice(const Home& home, const std::string& topic, const std::string& text) {
  (void)write_file_atomically(path_of(home, topic),
                              clip(text, k_most_bytes));  // best effort: it is said in the log too
}

void clear_notice(const Home& home, const std::string& topic) {
  ::unlink(path_of(home, topic).c_str());
}

std::optional<std::string> read_notice(const Home& home, const std::string& topic) {
  auto text = read_file(path_of(home, topic), k_most_bytes);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

}  // namespace hermes::home
