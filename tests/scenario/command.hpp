#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/instant.hpp"

namespace hermes::test {

// One command line of a transcript: `run 3 task=t_1 started=-10s external`. What a command does not
// take is an error, so a mistyped word cannot pass unseen. Errors are thrown as
// std::invalid_argument with a sentence.
class Command {
 public:
  explicit Command(std::string_view line);

  const std::string& name() const { return name_; }

  bool has_word() const { return !words_.empty(); }
  std::string take_word();  // the next word that has no `=`
  std::int64_t take_number();
  Millis take_length();  // of time; may begin with a minus
  bool take_flag(std::string_view flag);
  bool has(const std::string& key) const { return values_.contains(key); }
  std::string take(const std::string& key, const std::string& otherwise);
  std::int64_t take_number(const std::string& key, std::int64_t otherwise);
  Millis take_length(const std::string& key, Millis otherwise);

  void check_all_taken() const;

 private:
  std::string name_;
  std::vector<std::string> words_;
  std::map<std::string, std::string> values_;
};

// "1h30m", "-10s", "500ms", "0s": exact to the millisecond.
Millis read_length(std::string_view text);
std::string write_length(Millis length);

}  // namespace hermes::test
