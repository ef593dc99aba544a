#include <fmt/core.h>

#include "cli/manual/page.hpp"
#include "kernel/base/text.hpp"

namespace hermes::manual {

namespace {

constexpr std::size_t k_columns = 140;  // of our documents

// What Markdown would read as its own stands between backticks already, but for these.
std::string escaped(std::string_view text) {
  std::string out;
  bool typed = false;
  for (const char c : text) {
    typed = c == '`' ? !typed : typed;
    const bool special = c == '*' || c == '<' || c == '_' || c == '\\' || c == '[';
    out += !typed && special ? std::string("\\") + c : std::string(1, c);
  }
  return out;
}

std::string wrapped(const std::string& text, std::string_view indent) {
  return join(wrap(escaped(text), k_columns - indent.size()), "\n" + std::string(indent)) + "\n";
}

std::string block_text(const Block& block) {
  std::string out;
  switch (block.kind) {
    case Block::Kind::paragraph:
      return wrapped(block.text, "") + "\n";
    case Block::Kind::heading:
      return "#### `" + block.text + "`\n\n";
    case Block::Kind::example:
      for (const std::string& line : split_list(block.text, '\n')) {
        out += "    " + line + "\n";
      }
      return out + "\n";
    case Block::Kind::entries:
      for (const Entry& entry : block.entries) {
        out += "* " + wrapped(fmt::format("`{}`: {}", entry.term, entry.text), "  ");
      }
  }
  return out + "\n";
}

}  // namespace

std::string markdown(const std::vector<Page>& pages) {
  std::string out =
      "# The command line\n\n"
      "The manual pages in one. Written by hermes-manual from the table of verbs: change that, "
      "then "
      "`cmake --build --preset dev --target update_cli_reference`.\n";
  for (const Page& page : pages) {
    out += fmt::format("\n## {}({})\n\n", page.name, page.number);
    out += wrapped(page.brief, "") + "\n";
    for (const std::string& line : page.synopsis) {
      out += "    " + line + "\n";
    }
    for (const Section& section : page.sections) {
      out += fmt::format("\n### {}\n\n", section.title);
      for (const Block& block : section.blocks) {
        out += block_text(block);
      }
      out.pop_back();
    }
  }
  return out;
}

}  // namespace hermes::manual
