#include <fmt/core.h>

#include "cli/manual/page.hpp"
#include "kernel/base/text.hpp"

namespace hermes::manual {

namespace {

// Characters that roff would read as its own, or show as a typographic one where it is typed.
std::string_view escape_of(char c) {
  switch (c) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";
    case '\'':
      return "\\(aq";
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    case '"':
      return "\\(dq";
    default:
      return "";
  }
}

// The code point of the UTF-8 character at the beginning of `text`, which is well-formed: the text
// is ours.
std::size_t take_character(std::string_view text, unsigned& code) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return length;
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    unsigned code = 0;
    const std::size_t length = take_character(text, code);
    if (length > 1) {
      out += fmt::format("\\[u{:04X}]", code);
    } else if (const std::string_view escape = escape_of(text[0]); !escape.empty()) {
      out += escape;
    } else {
      out += text[0];
    }
    text.remove_prefix(length);
  }
  return out;
}

// `…` becomes bold. A line of text never begins with what roff takes for a request.
std::string running_text(std::string_view text) {
  std::string out;
  bool typed = false;
  while (true) {
    const auto mark = text.find('`');
    out += escaped(text.substr(0, mark));
    if (mark == std::string_view::npos) {
      break;
    }
    typed = !typed;
    out += typed ? "\\fB" : "\\fR";
    text.remove_prefix(mark + 1);
  }
  return (out.starts_with('.') ? "\\&" : "") + out + "\n";
}

std::string block_text(const Block& block) {
  std::string out;
  switch (block.kind) {
    case Block::Kind::paragraph:
      return ".PP\n" + running_text(block.text);
    case Block::Kind::heading:
      return ".SS " + escaped(block.text) + "\n";
    case Block::Kind::example:
      return ".PP\n.in +4n\n.EX\n" + escaped(block.text) + "\n.EE\n.in\n";
    case Block::Kind::entries:
      for (const Entry& entry : block.entries) {
        out += ".TP\n\\fB" + escaped(entry.term) + "\\fR\n" + running_text(entry.text);
      }
  }
  return out;
}

// man(7): a paragraph directly after a heading is one already.
std::string section_text(const Section& section) {
  std::string out = ".SH " + escaped(section.title) + "\n";
  bool after_heading = true;
  for (const Block& block : section.blocks) {
    std::string text = block_text(block);
    if (after_heading && text.starts_with(".PP\n")) {
      text.erase(0, 4);
    }
    out += text;
    after_heading = block.kind == Block::Kind::heading;
  }
  return out;
}

}  // namespace

std::string roff(const Page& page, const std::string& version, const std::string& date) {
  std::string name = page.name;
  for (char& c : name) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  std::string out = fmt::format(
      ".\\\" Written by hermes-manual from the table of verbs.\n"
      ".TH {} {} \"{}\" \"Hermes {}\" \"Hermes\"\n"
      ".nh\n.ad l\n",
      escaped(name), page.number, date, version);
  out +=
      fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", escaped(page.name), escaped(page.brief));
  bool first = true;
  for (const std::string& line : page.synopsis) {
    out += (first ? "" : ".br\n") + std::string("\\fB") + escaped(line) + "\\fR\n";
    first = false;
  }
  for (const Section& section : page.sections) {
    out += section_text(section);
  }
  return out;
}

}  // namespace hermes::manual
