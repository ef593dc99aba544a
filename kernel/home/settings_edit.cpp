#include "kernel/home/settings_edit.hpp"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "kernel/base/text.hpp"
#include "kernel/home/settings.hpp"

namespace hermes::home {

namespace {

struct Path {
  std::string section;  // "": the key is one of the file itself
  std::string key;
};

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

Result<Path> parse_path(const std::string& text) {
  const auto dot = text.find('.');
  Path path{dot == std::string::npos ? "" : text.substr(0, dot),
            dot == std::string::npos ? text : text.substr(dot + 1)};
  if (!is_bare_key(path.key) || (dot != std::string::npos && !is_bare_key(path.section))) {
    return fail(ErrorCode::invalid, fmt::format("'{}' is no key", printable(clip(text, 100))),
                "write key or section.key, with letters, digits, _ and -");
  }
  return path;
}

// The byte at a position of toml++, which counts lines and code points from 1.
std::size_t offset_of(std::string_view text, const toml::source_position& position) {
  std::size_t at = 0;
  for (toml::source_index line = 1; line < position.line && at < text.size(); ++line) {
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  for (toml::source_index column = 1; column < position.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
      ++at;
    }
  }
  return at;
}

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return before == std::string_view::npos ? 0 : before + 1;
}

// After the line break that ends the line of `at`.
std::size_t line_end(std::string_view text, std::size_t at) {
  const std::size_t end = text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// A section has its keys on lines below it; what is written {in braces} is a value.
bool is_section(const toml::node& node) {
  const auto* table = node.as_table();
  return table != nullptr && !table->is_inline();
}

class Editor {
 public:
  Editor(std::string_view text, const toml::table& root) : text_(text), root_(root) {}

  std::string set(const Path& path, const std::optional<std::string>& value) {
    const toml::table* table = path.section.empty() ? &root_ : root_[path.section].as_table();
    const toml::node* node = table == nullptr ? nullptr : table->get(path.key);
    if (!value) {
      return node == nullptr ? text_ : removed(*table, path.key, *node);
    }
    if (node != nullptr) {
      const std::size_t begin = offset_of(text_, node->source().begin);
      const std::size_t end = offset_of(text_, node->source().end);
      return text_.substr(0, begin) + *value + text_.substr(end);
    }
    const std::string line = fmt::format("{} = {}", path.key, *value);
    if (table == nullptr) {
      return fmt::format("{}{}\n[{}]\n{}\n", text_, ends_open() ? "\n" : "", path.section, line);
    }
    return table->is_inline() ? added_in_braces(*table, line) : added_line(*table, line);
  }

 private:
  bool ends_open() const { return !text_.empty() && text_.back() != '\n'; }

  std::string removed(const toml::table& table, const std::string& key, const toml::node& node) {
    if (table.is_inline()) {  // the commas around it are left to whoever writes so
      return text_;
    }
    const auto found = table.find(key);
    const std::size_t begin = line_begin(text_, offset_of(text_, found->first.source().begin));
    const std::size_t end = line_end(text_, offset_of(text_, node.source().end));
    return text_.substr(0, begin) + text_.substr(end);
  }

  std::string added_in_braces(const toml::table& table, const std::string& line) {
    const std::size_t brace = offset_of(text_, table.source().end) - 1;
    const std::size_t last = text_.find_last_not_of(" \t", brace - 1) + 1;
    return text_.substr(0, last) + (table.empty() ? " " : ", ") + line + " " + text_.substr(brace);
  }

  std::string added_line(const toml::table& table, const std::string& line) {
    std::size_t at = &table == &root_ ? 0 : line_end(text_, offset_of(text_, table.source().begin));
    for (const auto& [key, node] : table) {
      if (!is_section(node)) {
        at = std::max(at, line_end(text_, offset_of(text_, node.source().end)));
      }
    }
    const bool open = at == text_.size() && ends_open();
    return text_.substr(0, at) + (open ? "\n" : "") + line + "\n" + text_.substr(at);
  }

  std::string text_;
  const toml::table& root_;
};

std::string toml_shown(const toml::table& table) {
  std::ostringstream out;
  out << toml::toml_formatter(table, toml::format_flags::none);
  return out.str();
}

// Of both: the same but for the one key, and that as it was meant.
bool is_as_meant(toml::table before, toml::table after, const Path& path,
                 const std::optional<std::string>& value) {
  const auto take = [&](toml::table& root) {
    toml::table* table = path.section.empty() ? &root : root[path.section].as_table();
    std::string found;
    if (table != nullptr) {
      if (const toml::node* node = table->get(path.key)) {
        toml::table alone;
        alone.insert("value", *node);
        found = toml_shown(alone);
        table->erase(path.key);
      }
      if (!path.section.empty() && table->empty()) {
        root.erase(path.section);
      }
    }
    return found;
  };
  take(before);
  const std::string found = take(after);
  const std::string wanted = value ? toml_shown(toml::parse("value = " + *value)) : "";
  return found == wanted && before == after;
}

}  // namespace

Result<std::string> with_setting(std::string_view text, const std::string& path,
                                 const std::optional<std::string>& value,
                                 const std::string& file_name) {
  TRY_ASSIGN(const Path parsed, parse_path(path));
  TRY(parse_settings(text, file_name));  // its bounds, and its words for what is no TOML
  const toml::table before = toml::parse(text);
  std::string changed = Editor(text, before).set(parsed, value);
  bool good = false;
  try {
    good = is_as_meant(before, toml::parse(changed), parsed, value);
  } catch (const toml::parse_error&) {
    good = false;
  }
  if (!good) {
    return fail(
        ErrorCode::invalid,
        fmt::format("{}: {} cannot be changed here, because of how it is written", file_name, path),
        "edit the file by hand");
  }
  return changed;
}

std::string toml_value(std::string_view given) {
  const std::string line = fmt::format("value = {}", given);
  if (parse_settings(line, "") && given.find('\n') == std::string_view::npos) {
    return std::string(trim(given));
  }
  return toml_text(given);
}

}  // namespace hermes::home
