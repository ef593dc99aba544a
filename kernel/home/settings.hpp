#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"
#include "kernel/base/text.hpp"
#include "kernel/base/words.hpp"

// What config.toml and profile.toml have in common: values that know where they stand, and tables
// of legal keys. settings.cpp is the one file that includes toml++.
namespace hermes::home {

struct Setting {
  enum class Kind { boolean, integer, real, time, text, list, table };
  Kind kind = Kind::table;
  std::string key;    // its own name; "" for the file itself and for items of a list
  std::string place;  // "<file>:<line>: <section>.<key>": the beginning of every message
  int line = 0;
  std::int64_t integer = 0;
  std::string text;
  std::vector<Setting> items;  // of a list, or the keys of a table in the order of their lines
};

// The key of a table; null when it is not there.
const Setting* find_setting(const Setting& table, std::string_view key);

inline constexpr std::size_t k_settings_bytes = 1024 * 1024;
inline constexpr std::size_t k_word_bytes = 200;

// Error: invalid, "<file>:<line>: <what is wrong>".
Result<Setting> parse_settings(std::string_view text, const std::string& file_name);

// Each refuses a wrong type or range with an Error (invalid) that begins with the place. A duration
// is "30s" or an integer in seconds, a number of bytes "512M" or an integer.
Result<std::int64_t> as_integer(const Setting& setting, std::int64_t least, std::int64_t most);
Result<Millis> as_duration(const Setting& setting, Millis least, Millis most);
Result<std::int64_t> as_bytes(const Setting& setting, std::int64_t least, std::int64_t most);
// "150%", from 1.
Result<std::int64_t> as_percent(const Setting& setting, std::int64_t most);
Result<std::string> as_text(const Setting& setting, std::size_t most);
Result<std::vector<std::string>> as_texts(const Setting& setting, std::size_t most_items,
                                          std::size_t most_bytes);

Error refuse(const Setting& setting, std::string_view rule, std::string hint = {});

// A legal key of a table, what is done with its value, and how the value that applies is written in
// TOML ("" while none does).
struct KeyRule {
  std::string_view key;
  std::function<Result<void>(const Setting&)> take;
  std::function<std::string()> show;
  std::vector<KeyRule> inner;  // of a table
};

// A value that applies, and the line that it comes from (0: the default).
struct Effective {
  std::string key;    // "<section>.<key>"
  std::string value;  // as TOML writes it; "" when nothing is set
  int line = 0;
};
// Of every key that `rules` can show, in their order. `file` was read by them.
std::vector<Effective> effective_values(const Setting& file, const std::vector<KeyRule>& rules);

// The file name of settings that come from flags: a message then names the flag.
inline constexpr std::string_view k_given = "--";
Error as_flag_error(Error error);

// A text as TOML writes it, in quotes.
std::string toml_text(std::string_view text);
std::string toml_texts(const std::vector<std::string>& texts);
std::string toml_duration(Millis length);
std::string toml_percent(std::int64_t percent);  // "" for 0

// Hands every key of the table to its rule. Error: the first (by line) that has none, with the
// nearest legal keys, or the first that its rule refuses.
Result<void> read_table(const Setting& table, const std::vector<KeyRule>& rules);

// A section kept for what is to come: accepted without effect.
KeyRule reserved(std::string_view key);

// T is the type of the bounds, or an optional of it.
template <class T>
KeyRule integer_key(std::string_view key, T& target, std::int64_t least, std::int64_t most) {
  return {key,
          [&target, least, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_integer(setting, least, most));
            return {};
          },
          [&target] {
            const std::optional<std::int64_t> value(target);
            return value ? std::to_string(*value) : "";
          }};
}

template <class T>
KeyRule duration_key(std::string_view key, T& target, Millis least, Millis most) {
  return {key,
          [&target, least, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_duration(setting, least, most));
            return {};
          },
          [&target] {
            const std::optional<Millis> value(target);
            return value ? toml_duration(*value) : "";
          }};
}

// One of the words of E.
template <class E>
KeyRule word_key(std::string_view key, E& target) {
  return {key,
          [&target](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(const std::string word, as_text(setting, k_word_bytes));
            const auto value = from_word<E>(word);
            if (!value) {
              return std::unexpected(refuse(setting, "unknown word '" + printable(word) +
                                                         "', it must be one of " + word_list<E>()));
            }
            target = *value;
            return {};
          },
          [&target] { return toml_text(to_word(target)); }};
}

KeyRule bytes_key(std::string_view key, std::int64_t& target, std::int64_t least,
                  std::int64_t most);
KeyRule percent_key(std::string_view key, std::int64_t& target, std::int64_t most);
KeyRule text_key(std::string_view key, std::string& target, std::size_t most);

// The table's own keys are read by `rules`.
KeyRule table_key(std::string_view key, const std::vector<KeyRule>& rules);

}  // namespace hermes::home
