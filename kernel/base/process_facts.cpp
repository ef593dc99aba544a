#include "kernel/base/process_facts.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "kernel/base/process.hpp"

namespace hermes {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_argv_bytes = 256 * 1024;

// /proc/<pid>/stat, cut at the command name, which may hold anything.
struct Stat {
  std::string command;
  char state = '?';
  std::vector<std::int64_t> fields;  // from the fourth one on

  std::int64_t field(std::size_t number) const {  // as proc(5) counts them
    return number - 4 < fields.size() ? fields[number - 4] : 0;
  }
};

std::optional<Stat> read_stat(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(file, line, '\0')) {
    return std::nullopt;
  }
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) {
    return std::nullopt;
  }
  Stat stat;
  stat.command = line.substr(open + 1, close - open - 1);
  std::istringstream rest(line.substr(close + 1));
  rest >> stat.state;
  for (std::int64_t value = 0; rest >> value;) {
    stat.fields.push_back(value);
  }
  return stat;
}

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t count_descendants(pid_t pid) {
  std::multimap<std::int64_t, std::int64_t> children;  // by parent
  std::error_code problem;
  for (fs::directory_iterator entry("/proc", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (!is_number(name)) {
      continue;
    }
    if (const auto stat = read_stat(name)) {
      children.emplace(stat->field(4), std::stoll(name));
    }
  }
  std::int64_t found = 0;
  std::vector<std::int64_t> next{pid};
  while (!next.empty()) {
    const std::int64_t parent = next.back();
    next.pop_back();
    const auto [from, to] = children.equal_range(parent);
    for (auto child = from; child != to; ++child) {
      ++found;
      next.push_back(child->second);
    }
    children.erase(from, to);  // a PID that was given anew cannot lead round in a circle
  }
  return found;
}

std::optional<std::int64_t> count_files(const fs::path& directory) {
  std::error_code problem;
  std::int64_t found = 0;
  for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    ++found;
  }
  return problem ? std::nullopt : std::optional(found);
}

std::vector<std::string> read_argv(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string all(k_most_argv_bytes, '\0');
  in.read(all.data(), static_cast<std::streamsize>(all.size()));
  all.resize(static_cast<std::size_t>(in.gcount()));
  std::vector<std::string> argv;
  for (std::size_t from = 0; from < all.size();) {
    const auto end = std::min(all.find('\0', from), all.size());
    argv.push_back(all.substr(from, end - from));
    from = end + 1;
  }
  return argv;
}

double uptime_seconds() {
  std::ifstream file("/proc/uptime");
  double seconds = 0;
  file >> seconds;
  return seconds;
}

}  // namespace

std::optional<ProcessFacts> look_at_process(pid_t pid, std::uint64_t start) {
  const auto stat = is_alive(pid, start) ? read_stat(std::to_string(pid)) : std::nullopt;
  if (!stat) {
    return std::nullopt;
  }
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const fs::path here = fmt::format("/proc/{}", pid);
  ProcessFacts facts;
  facts.pid = pid;
  facts.state = stat->state;
  facts.command = stat->command;
  facts.cpu_ms = static_cast<std::int64_t>(static_cast<double>(stat->field(14) + stat->field(15)) *
                                           1000 / ticks);
  facts.age_ms = std::max<std::int64_t>(
      0, static_cast<std::int64_t>((uptime_seconds() - static_cast<double>(start) / ticks) * 1000));
  facts.threads = stat->field(20);
  facts.rss_bytes = stat->field(24) * ::sysconf(_SC_PAGESIZE);
  facts.descendants = count_descendants(pid);
  facts.open_files = count_files(here / "fd");
  std::error_code problem;
  if (const fs::path cwd = fs::read_symlink(here / "cwd", problem); !problem) {
    facts.cwd = cwd.string();
  }
  facts.argv = read_argv(here / "cmdline");
  // It may have ended while we looked, and its PID have been given anew.
  return is_alive(pid, start) ? std::optional(std::move(facts)) : std::nullopt;
}

}  // namespace hermes
