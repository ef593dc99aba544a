#include "kernel/home/settings.hpp"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

// toml++ bounds the nesting of values but not that of dotted keys, whose tables it destroys
// recursively.
constexpr std::ptrdiff_t k_most_dots_in_a_line = 1000;

Result<void> refuse_deep_keys(std::string_view text, const std::string& file_name) {
  int line = 1;
  while (!text.empty()) {
    const std::string_view here = text.substr(0, text.find('\n'));
    if (std::count(here.begin(), here.end(), '.') > k_most_dots_in_a_line) {
      return fail(ErrorCode::invalid,
                  fmt::format("{}:{}: more than {} dots in one line", file_name, line,
                              k_most_dots_in_a_line),
                  "break the line");
    }
    text.remove_prefix(std::min(here.size() + 1, text.size()));
    ++line;
  }
  return {};
}

class Reader {
 public:
  explicit Reader(std::string file_name) : file_name_(std::move(file_name)) {}

  Setting table(const toml::table& table, const std::string& path) const {
    Setting out;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      out.items.push_back(
          value(node, name, path.empty() ? name : path + "." + name, line_of(key.source())));
    }
    std::stable_sort(out.items.begin(), out.items.end(),
                     [](const Setting& a, const Setting& b) { return a.line < b.line; });
    return out;
  }

 private:
  static int line_of(const toml::source_region& region) {
    return static_cast<int>(region.begin.line);
  }

  Setting value(const toml::node& node, const std::string& name, const std::string& path,
                int line) const {
    Setting out;
    if (const auto* members = node.as_table()) {
      out = table(*members, path);
      out.kind = Setting::Kind::table;
    } else if (const auto* list = node.as_array()) {
      out.kind = Setting::Kind::list;
      for (const toml::node& item : *list) {
        out.items.push_back(value(item, "", path, line_of(item.source())));
      }
    } else if (const auto* text = node.as_string()) {
      out.kind = Setting::Kind::text;
      out.text = text->get();
    } else if (const auto* number = node.as_integer()) {
      out.kind = Setting::Kind::integer;
      out.integer = number->get();
    } else if (const auto* flag = node.as_boolean()) {
      out.kind = Setting::Kind::boolean;
      out.integer = flag->get() ? 1 : 0;
    } else {
      out.kind = node.is_floating_point() ? Setting::Kind::real : Setting::Kind::time;
    }
    out.key = name;
    out.line = line;
    out.place = fmt::format("{}:{}: {}", file_name_, line, printable(path));
    return out;
  }

  std::string file_name_;
};

// Edit distance of two words (Levenshtein), for suggestions.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Up to three legal keys that may have been meant, the nearest first.
std::vector<std::string> nearest(const std::string& word, const std::vector<KeyRule>& rules) {
  std::vector<std::pair<std::size_t, std::string>> near;
  const std::string_view clipped = clip(word, 60);
  for (const KeyRule& rule : rules) {
    const std::size_t steps = distance(clipped, rule.key);
    const bool part = clipped.size() >= 3 && rule.key.find(clipped) != std::string_view::npos;
    if (part || steps <= std::max<std::size_t>(rule.key.size() < 4 ? 1 : 2, rule.key.size() / 3)) {
      near.emplace_back(steps, std::string(rule.key));
    }
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> words;
  for (std::size_t i = 0; i < near.size() && i < 3; ++i) {
    words.push_back(near[i].second);
  }
  return words;
}

Error unknown_key(const Setting& table, const Setting& setting, const std::vector<KeyRule>& rules) {
  std::vector<std::string> legal;
  for (const KeyRule& rule : rules) {
    legal.emplace_back(rule.key);
  }
  const std::vector<std::string> near = nearest(setting.key, rules);
  const std::string_view file = std::string_view(setting.place).substr(0, setting.place.find(": "));
  std::string message =
      fmt::format("{}: unknown key '{}'", file, printable(clip(setting.key, 100)));
  if (!table.key.empty()) {
    message += fmt::format(" in [{}]", table.key);
  }
  if (!near.empty()) {
    message += fmt::format(", did you mean {}?", join(near, " or "));
  }
  return {ErrorCode::invalid, message, fmt::format("the keys there are {}", join(legal, ", "))};
}

}  // namespace

Error refuse(const Setting& setting, std::string_view rule, std::string hint) {
  return {ErrorCode::invalid, fmt::format("{}: {}", setting.place, rule), std::move(hint)};
}

Result<Setting> parse_settings(std::string_view text, const std::string& file_name) {
  if (text.size() > k_settings_bytes) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is longer than {} bytes", file_name, k_settings_bytes));
  }
  TRY(refuse_deep_keys(text, file_name));
  try {
    const toml::table root = toml::parse(text);
    Setting file = Reader(file_name).table(root, "");
    file.place = file_name;
    return file;
  } catch (const toml::parse_error& error) {
    return fail(
        ErrorCode::invalid,
        fmt::format("{}:{}: {}", file_name, error.source().begin.line,
                    printable(clip(error.description(), 300))),
        "the file is TOML: key = value lines below [section] lines, texts in double quotes");
  }
}

Result<std::int64_t> as_integer(const Setting& setting, std::int64_t least, std::int64_t most) {
  if (setting.kind != Setting::Kind::integer || setting.integer < least || setting.integer > most) {
    return std::unexpected(
        refuse(setting, fmt::format("must be a whole number from {} to {}", least, most)));
  }
  return setting.integer;
}

Result<Millis> as_duration(const Setting& setting, Millis least, Millis most) {
  const bool number = setting.kind == Setting::Kind::integer;
  const auto length = number || setting.kind == Setting::Kind::text
                          ? parse_duration(number ? std::to_string(setting.integer) : setting.text)
                          : fail(ErrorCode::usage, "");
  if (!length || *length < least || *length > most) {
    return std::unexpected(
        refuse(setting,
               fmt::format("must be a duration from {} to {}", format_duration(least),
                           format_duration(most)),
               "write a whole number of seconds, or a text such as \"90s\", \"15m\", \"1.5h\""));
  }
  return *length;
}

Result<std::int64_t> as_bytes(const Setting& setting, std::int64_t least, std::int64_t most) {
  std::optional<std::int64_t> bytes;
  if (setting.kind == Setting::Kind::integer) {
    bytes = setting.integer;
  } else if (setting.kind == Setting::Kind::text) {
    const std::string_view text = trim(setting.text);
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    constexpr std::string_view k_units = "KMGT";
    const auto power = unit.size() == 1 ? k_units.find(unit.front()) : std::string_view::npos;
    const int shift = unit.empty()                      ? 0
                      : power == std::string_view::npos ? -1
                                                        : 10 * (static_cast<int>(power) + 1);
    if (problem == std::errc{} && shift >= 0 && number >= 0 && number <= (most >> shift)) {
      bytes = number << shift;
    }
  }
  if (!bytes || *bytes < least || *bytes > most) {
    return std::unexpected(
        refuse(setting, fmt::format("must be a number of bytes from {} to {}", least, most),
               "write a whole number, or a text such as \"512M\" or \"2G\""));
  }
  return *bytes;
}

Result<std::string> as_text(const Setting& setting, std::size_t most) {
  if (setting.kind != Setting::Kind::text) {
    return std::unexpected(refuse(setting, "must be a text in quotes"));
  }
  if (auto checked = check_text(setting.place, setting.text, most); !checked) {
    return std::unexpected(checked.error());
  }
  return setting.text;
}

Result<std::vector<std::string>> as_texts(const Setting& setting, std::size_t most_items,
                                          std::size_t most_bytes) {
  if (setting.kind != Setting::Kind::list || setting.items.size() > most_items) {
    return std::unexpected(refuse(setting,
                                  fmt::format("must be a list of at most {} texts", most_items),
                                  "for example [\"one\", \"two\"]"));
  }
  std::vector<std::string> texts;
  for (const Setting& item : setting.items) {
    TRY_ASSIGN(std::string text, as_text(item, most_bytes));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<void> read_table(const Setting& table, const std::vector<KeyRule>& rules) {
  if (table.kind != Setting::Kind::table) {
    return std::unexpected(refuse(table, "must be a section",
                                  fmt::format("write [{}] on a line of its own", table.key)));
  }
  for (const Setting& setting : table.items) {
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const KeyRule& one) { return one.key == setting.key; });
    if (rule == rules.end()) {
      return std::unexpected(unknown_key(table, setting, rules));
    }
    TRY(rule->take(setting));
  }
  return {};
}

KeyRule reserved(std::string_view key) {
  return {key, [](const Setting&) -> Result<void> { return {}; }};
}

KeyRule bytes_key(std::string_view key, std::int64_t& target, std::int64_t least,
                  std::int64_t most) {
  return {key, [&target, least, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_bytes(setting, least, most));
            return {};
          }};
}

KeyRule text_key(std::string_view key, std::string& target, std::size_t most) {
  return {key, [&target, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_text(setting, most));
            return {};
          }};
}

KeyRule table_key(std::string_view key, std::vector<KeyRule> rules) {
  return {key, [rules = std::move(rules)](const Setting& setting) {
            return read_table(setting, rules);
          }};
}

}  // namespace hermes::home
