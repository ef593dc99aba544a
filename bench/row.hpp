#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/sample.hpp"

namespace hermes::bench {

// One figure of the table. Every cell may have several lines. A floor is what the machine itself
// takes for the least that must be done, measured in the same run.
struct Row {
  std::string name;
  std::vector<std::string> figure;
  std::vector<std::string> floor;
  std::vector<std::string> goal;
  std::vector<std::string> verdict;  // one line for each line of `goal`

  // A goal with its verdict: `value` has to stay below `limit`.
  void expect_below(std::string_view what, double value, double limit, std::string_view limit_text);
  void expect_below(std::string_view what, Nanos value, Nanos limit);
  // A goal with its verdict: `value` has to reach `limit`.
  void expect_at_least(std::string_view what, double value, double limit,
                       std::string_view limit_text);
  // A goal with its verdict: `value` must not exceed `limit`.
  void expect_at_most(std::string_view what, double value, double limit,
                      std::string_view limit_text);
  void expect_equal(std::string_view what, std::int64_t value, std::int64_t wanted);
};

// The table as text, its columns as wide as their widest line.
std::string table_text(const std::vector<Row>& rows);

}  // namespace hermes::bench
