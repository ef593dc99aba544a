#include "bench/row.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace hermes::bench {

namespace {

using Cell = std::vector<std::string>;

std::string verdict_text(bool met, double value, double limit) {
  const double apart = limit == 0 ? 0 : std::abs(value - limit) / limit * 100;
  return fmt::format("{} by {:.0f} %", met ? "met" : "MISSED", apart);
}

// Bytes of UTF-8 that continue a character take no room on the screen.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

std::array<Cell, 5> cells_of(const Row& row) {
  return {Cell{row.name}, row.figure, row.floor, row.goal, row.verdict};
}

}  // namespace

void Row::expect_below(std::string_view what, double value, double limit,
                       std::string_view limit_text) {
  goal.push_back(fmt::format("{} < {}", what, limit_text));
  verdict.push_back(verdict_text(value < limit, value, limit));
}

void Row::expect_below(std::string_view what, Nanos value, Nanos limit) {
  expect_below(what, static_cast<double>(value), static_cast<double>(limit), duration_text(limit));
}

void Row::expect_at_least(std::string_view what, double value, double limit,
                          std::string_view limit_text) {
  goal.push_back(fmt::format("{} ≥ {}", what, limit_text));
  verdict.push_back(verdict_text(value >= limit, value, limit));
}

void Row::expect_at_most(std::string_view what, double value, double limit,
                         std::string_view limit_text) {
  goal.push_back(fmt::format("{} ≤ {}", what, limit_text));
  verdict.push_back(verdict_text(value <= limit, value, limit));
}

void Row::expect_equal(std::string_view what, std::int64_t value, std::int64_t wanted) {
  goal.push_back(fmt::format("{} = {}", what, count_text(wanted)));
  verdict.push_back(value == wanted ? "met" : fmt::format("MISSED: {}", count_text(value)));
}

std::string table_text(const std::vector<Row>& rows) {
  std::vector<std::array<Cell, 5>> lines{
      {Cell{"name"}, Cell{"figure"}, Cell{"floor, same run"}, Cell{"goal"}, Cell{"verdict"}}};
  for (const Row& row : rows) {
    lines.push_back(cells_of(row));
  }
  std::array<std::size_t, 5> widths{};
  for (const auto& cells : lines) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
      for (const std::string& text : cells[column]) {
        widths[column] = std::max(widths[column], width_of(text));
      }
    }
  }
  std::string table;
  for (const auto& cells : lines) {
    std::size_t height = 0;
    for (const Cell& cell : cells) {
      height = std::max(height, cell.size());
    }
    for (std::size_t i = 0; i < height; ++i) {
      std::string line;
      for (std::size_t column = 0; column < cells.size(); ++column) {
        const std::string text = i < cells[column].size() ? cells[column][i] : "";
        line += text + std::string(widths[column] - width_of(text) + 2, ' ');
      }
      table += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    table += '\n';
  }
  return table;
}

}  // namespace hermes::bench
