#include "kernel/board/import_values.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

#include "kernel/base/text.hpp"

namespace hermes::board {

namespace {

constexpr double k_largest_seconds = 1e11;              // later than the year 5000: milliseconds
constexpr std::int64_t k_largest_ms = 253402300799999;  // the end of 9999

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size() ? std::optional(number)
                                                                    : std::nullopt;
}

// Takes `width` digits off the front.
bool take_digits(std::string_view& text, std::size_t width, int& out) {
  if (text.size() < width ||
      text.substr(0, width).find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  out = parse_number<int>(text.substr(0, width)).value_or(0);
  text.remove_prefix(width);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// "", "Z", "+01:00": minutes east of UTC.
std::optional<int> take_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") {
    return 0;
  }
  const int sign = text.front() == '-' ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  if (!take(text, "+-") || !take_digits(text, 2, hours)) {
    return std::nullopt;
  }
  take(text, ":");
  if (!take_digits(text, 2, minutes) || !text.empty() || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::optional<Instant> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  int y = 0;
  int mon = 0;
  int d = 0;
  int h = 0;
  int min = 0;
  int s = 0;
  if (!take_digits(text, 4, y) || !take(text, "-") || !take_digits(text, 2, mon) ||
      !take(text, "-") || !take_digits(text, 2, d)) {
    return std::nullopt;
  }
  std::int64_t ms = 0;
  if (take(text, "Tt ")) {
    if (!take_digits(text, 2, h) || !take(text, ":") || !take_digits(text, 2, min) ||
        !take(text, ":") || !take_digits(text, 2, s)) {
      return std::nullopt;
    }
    if (take(text, ".")) {
      const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      for (std::size_t i = 0, unit = 100; i < digits && unit > 0; ++i, unit /= 10) {
        ms += static_cast<std::int64_t>(unit) * (text[i] - '0');
      }
      text.remove_prefix(digits);
    }
  }
  const auto offset = take_offset(text);
  const year_month_day date{year{y}, month{static_cast<unsigned>(mon)},
                            day{static_cast<unsigned>(d)}};
  if (!offset || !date.ok() || h > 23 || min > 59 || s > 60) {
    return std::nullopt;
  }
  const auto at = sys_days{date} + hours{h} + minutes{min - *offset} + seconds{s};
  const std::int64_t whole = duration_cast<milliseconds>(at.time_since_epoch()).count() + ms;
  return whole > 0 && whole <= k_largest_ms ? std::optional(Instant{whole}) : std::nullopt;
}

std::optional<Instant> instant_of_number(double number) {
  const double ms = number < k_largest_seconds ? number * 1000 : number;
  if (!std::isfinite(ms) || ms < 1 || ms > static_cast<double>(k_largest_ms)) {
    return std::nullopt;
  }
  return Instant{static_cast<std::int64_t>(std::llround(ms))};
}

std::optional<std::int64_t> integer_of(const db::ForeignValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return *number;
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return std::abs(*number) < 1e15 && std::trunc(*number) == *number
               ? std::optional(static_cast<std::int64_t>(*number))
               : std::nullopt;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return parse_number<std::int64_t>(trim(*text));
  }
  return std::nullopt;
}

std::optional<std::string> text_of(const db::ForeignValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return fmt::format("{}", *number);
  }
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<Instant> instant_of(const db::ForeignValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return instant_of_number(static_cast<double>(*number));
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return instant_of_number(*number);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    const auto number = parse_number<double>(trim(*text));
    return number ? instant_of_number(*number) : parse_timestamp(trim(*text));
  }
  return std::nullopt;
}

std::string unknown_status(std::string_view status) {
  return fmt::format("status '{}' is unknown: the task waits in triage",
                     printable(clip(status, 40)));
}

bool is_null(const db::ForeignValue& value) {
  return std::holds_alternative<std::monostate>(value);
}

}  // namespace hermes::board
