#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/base/instant.hpp"
#include "verbs/verb.hpp"

namespace hermes::verbs {

// The arguments of one call, as text. The typed readers trust `check`.
class Values {
 public:
  void add(std::string_view name, std::string value);

  bool has(std::string_view name) const { return values_.contains(name); }
  bool flag(std::string_view name) const { return has(name); }
  std::optional<std::string> text(std::string_view name) const;
  std::string text_or(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> list(std::string_view name) const;
  std::string joined(
      std::string_view name) const;  // the words of a repeatable positional as one text
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<Millis> duration(std::string_view name) const;
  std::optional<Instant> time(std::string_view name) const;
  std::optional<std::string> json_object(std::string_view name) const;

  const std::map<std::string, std::vector<std::string>, std::less<>>& all() const {
    return values_;
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// What a surface calls an argument, for messages. On the command line: "ID", "--note".
using ArgumentName = std::string (*)(const Argument&);
std::string name_on_command_line(const Argument& argument);

// Every value against the schema of the verb: known, given when required, given once unless
// repeatable, of its type, in its range. Error: usage, naming the argument, the value and the rule.
Result<void> check(const Verb& verb, const Values& values,
                   ArgumentName name = name_on_command_line);

}  // namespace hermes::verbs
