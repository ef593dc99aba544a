#pragma once

#include <string>
#include <vector>

// A page of the manual before it is written as roff or as Markdown. In every text `…` marks what is
// typed.
namespace hermes::manual {

struct Entry {
  std::string term;  // what is typed
  std::string text;
};

struct Block {
  enum class Kind { paragraph, heading, entries, example };
  Kind kind = Kind::paragraph;
  std::string text;            // an example keeps its lines
  std::vector<Entry> entries;  // of kind entries
};

struct Section {
  std::string title;
  std::vector<Block> blocks;
};

struct Page {
  std::string name;  // "hermes-kanban"
  int number = 1;    // of the manual's section
  std::string brief;
  std::vector<std::string> synopsis;
  std::vector<Section> sections;  // those after SYNOPSIS
};

// Every page, the program's first.
std::vector<Page> all_pages();

// For man(7). `date`: "2026-11-20", may be empty.
std::string roff(const Page& page, const std::string& version, const std::string& date);

// One document of all pages.
std::string markdown(const std::vector<Page>& pages);

}  // namespace hermes::manual
