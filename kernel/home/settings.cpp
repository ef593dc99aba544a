#include "kernel/home/settings.hpp"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

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

Error unknown_key(const Setting& table, const Setting& setting, const std::vector<KeyRule>& rules) {
  std::vector<std::string> legal;
  for (const KeyRule& rule : rules) {
    legal.emplace_back(rule.key);
  }
  const std::string_view file = std::string_view(setting.place).substr(0, setting.place.find(": "));
  std::string message =
      fmt::format("{}: unknown key '{}'", file, printable(clip(setting.key, 100)));
  if (!table.key.empty()) {
    message += fmt::format(" in [{}]", table.key);
  }
  message += did_you_mean(setting.key, legal);
  return {ErrorCode::invalid, message, fmt::format("the keys there are {}", join(legal, ", "))};
}

}  // namespace

namespace {

std::string given_value(const Setting& setting) {
  switch (setting.kind) {
    case Setting::Kind::integer:
      return std::to_string(setting.integer);
    case Setting::Kind::text:
      return fmt::format("'{}'", printable(clip(setting.text, 100)));
    case Setting::Kind::boolean:
      return "true or false";
    case Setting::Kind::real:
      return "a number with a fraction";
    case Setting::Kind::time:
      return "a time";
    case Setting::Kind::list:
      return "a list";
    case Setting::Kind::table:
      break;
  }
  return "a section";
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
        refuse(setting, fmt::format("is {}, must be a whole number from {} to {}",
                                    given_value(setting), least, most)));
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
               fmt::format("is {}, must be a duration from {} to {}", given_value(setting),
                           format_duration(least), format_duration(most)),
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
    return std::unexpected(refuse(setting,
                                  fmt::format("is {}, must be a number of bytes from {} to {}",
                                              given_value(setting), least, most),
                                  "write a whole number, or a text such as \"512M\" or \"2G\""));
  }
  return *bytes;
}

Result<std::int64_t> as_percent(const Setting& setting, std::int64_t most) {
  const std::string_view text = setting.kind == Setting::Kind::text ? trim(setting.text) : "";
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = problem == std::errc{} && end + 1 == text.data() + text.size() && *end == '%';
  if (!whole || number < 1 || number > most) {
    return std::unexpected(refuse(
        setting,
        fmt::format("is {}, must be a text from \"1%\" to \"{}%\"", given_value(setting), most),
        "\"50%\" is half a processor; leave the key out where there is no bound"));
  }
  return number;
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
  return {key,
          [&target, least, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_bytes(setting, least, most));
            return {};
          },
          [&target] { return std::to_string(target); }};
}

KeyRule percent_key(std::string_view key, std::int64_t& target, std::int64_t most) {
  return {key,
          [&target, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_percent(setting, most));
            return {};
          },
          [&target] { return toml_percent(target); }};
}

KeyRule text_key(std::string_view key, std::string& target, std::size_t most) {
  return {key,
          [&target, most](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(target, as_text(setting, most));
            return {};
          },
          [&target] { return target.empty() ? "" : toml_text(target); }};
}

KeyRule table_key(std::string_view key, const std::vector<KeyRule>& rules) {
  return {key, [rules](const Setting& setting) { return read_table(setting, rules); }, {}, rules};
}

const Setting* find_setting(const Setting& table, std::string_view key) {
  const auto found = std::find_if(table.items.begin(), table.items.end(),
                                  [&](const Setting& one) { return one.key == key; });
  return found == table.items.end() ? nullptr : &*found;
}

std::vector<Effective> effective_values(const Setting& file, const std::vector<KeyRule>& rules) {
  std::vector<Effective> values;
  for (const KeyRule& rule : rules) {
    const Setting none;
    const Setting* given = find_setting(file, rule.key);
    const Setting& setting = given == nullptr ? none : *given;
    if (rule.show) {
      values.push_back({std::string(rule.key), rule.show(), setting.line});
    }
    for (Effective& inner : effective_values(setting, rule.inner)) {
      inner.key = fmt::format("{}.{}", rule.key, inner.key);
      values.push_back(std::move(inner));
    }
  }
  return values;
}

Error as_flag_error(Error error) {
  // "--:<line>: <section>.<key>: <rule>"
  const auto line_end = error.message.find(": ");
  if (!error.message.starts_with(k_given) || line_end == std::string::npos) {
    return error;
  }
  std::string rest = error.message.substr(line_end + 2);
  const std::size_t key_end = std::min(rest.find(':'), rest.size());
  std::replace(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(key_end), '_', '-');
  error.message = std::string(k_given) + rest;
  return error;
}

std::string toml_text(std::string_view text) {
  std::ostringstream out;
  const toml::value<std::string> value{std::string(text)};
  out << toml::toml_formatter(value, toml::format_flags::none);
  return out.str();
}

std::string toml_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) {
    quoted.push_back(toml_text(text));
  }
  return "[" + join(quoted, ", ") + "]";
}

std::string toml_percent(std::int64_t percent) {
  return percent == 0 ? "" : toml_text(fmt::format("{}%", percent));
}

std::string toml_duration(Millis length) {
  constexpr std::pair<std::int64_t, std::string_view> k_units[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}};
  for (const auto& [ms, unit] : k_units) {
    if (length.count() >= ms && length.count() % ms == 0) {
      return toml_text(fmt::format("{}{}", length.count() / ms, unit));
    }
  }
  return "0";
}

}  // namespace hermes::home
