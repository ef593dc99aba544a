#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kernel/db/database.hpp"
#include "kernel/home/paths.hpp"

// The churn: the installed programs under load in a home of their own, while everything is killed.
namespace hermes::churn {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;

inline const std::vector<std::string> k_boards{"default", "second"};
inline const std::vector<std::string> k_profiles{"sh", "agent", "rev", "slow"};
inline constexpr int k_cap = 12;                        // [dispatcher] max_in_progress
inline constexpr std::int64_t k_log_bytes = 64 * 1024;  // [log] rotate_bytes

inline bool chance(Random& random, int percent) {
  return static_cast<int>(random() % 100) < percent;
}

// Rules that were found violated, each with what was seen.
class Findings {
 public:
  void add(const std::string& rule, const std::string& seen);
  void check(bool holds, const std::string& rule, const std::string& seen) {
    if (!holds) {
      add(rule, seen);
    }
  }
  bool none() const { return found_.empty(); }
  void print() const;

 private:
  std::map<std::string, std::vector<std::string>> found_;  // by rule
};

// The home, its boards and profiles, and the files of the churn beside it.
class Ground {
 public:
  Ground();
  ~Ground();  // ends every process of the home; removes everything, unless it is to be kept
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  void keep() { kept_ = true; }

  fs::path path(const std::string& name) const { return dir_ / name; }
  const home::Home& home() const { return home_; }
  std::map<std::string, std::string> environment() const;
  std::int64_t wal_bytes(const std::string& board) const;

  // Of a board, by a connection of its own.
  template <class Body>
  auto read(const std::string& board, Body body) const {
    using Value = decltype(body(std::declval<db::Reader&>()));
    auto database = open(board);
    return database.read([&](db::Reader& tx) -> Result<Value> { return body(tx); }).value();
  }
  db::Database open(const std::string& board) const;

 private:
  fs::path dir_;
  home::Home home_;
  bool kept_ = false;
};

}  // namespace hermes::churn
