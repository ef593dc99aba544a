#include "kernel/base/duration.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include "kernel/base/text.hpp"

namespace hermes {

namespace {

struct Unit {
  std::string_view name;
  double ms;
};
constexpr std::array<Unit, 6> k_units{
    {{"ms", 1}, {"s", 1e3}, {"", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};
constexpr double k_longest_ms = 10.0 * 366 * 8.64e7;

std::tm local_time(Instant at) {
  const std::time_t seconds = at.seconds();
  std::tm local{};
  localtime_r(&seconds, &local);
  return local;
}

std::string date_text(const std::tm& local) {
  return fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(
        ErrorCode::usage, fmt::format("malformed duration '{}'", printable(clip(text, 100))),
        "use a number of seconds or a number with ms, s, m, h or d, for example 90, 30s, 1.5h, 2d; "
        "0 to 10 years");
  };
  const std::string_view trimmed = trim(text);
  double number = 0;
  const auto [end, problem] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(),
                                              number, std::chars_format::fixed);
  if (problem != std::errc{} || !std::isfinite(number) || number < 0 || trimmed.starts_with('-')) {
    return bad();
  }
  const std::string_view suffix(end,
                                static_cast<std::size_t>(trimmed.data() + trimmed.size() - end));
  for (const Unit& unit : k_units) {
    if (unit.name == suffix && number * unit.ms <= k_longest_ms) {
      return Millis{static_cast<std::int64_t>(std::llround(number * unit.ms))};
    }
  }
  return bad();
}

std::string format_duration(Millis length) {
  const auto ms = static_cast<double>(length.count());
  if (ms < 1e3) {
    return fmt::format("{} ms", length.count());
  }
  if (ms < 1.2e5) {
    return fmt::format("{:.0f} s", ms / 1e3);
  }
  if (ms < 7.2e6) {
    return fmt::format("{:.0f} min", ms / 6e4);
  }
  if (ms < 1.728e8) {
    return fmt::format("{:.1f} h", ms / 3.6e6);
  }
  return fmt::format("{:.1f} d", ms / 8.64e7);
}

std::string format_age(Instant at, Instant now) {
  const Millis age = now - at;
  return age < std::chrono::minutes{1} ? "just now" : format_duration(age) + " ago";
}

std::string format_local_minute(Instant at) {
  const std::tm local = local_time(at);
  return fmt::format("{} {:02}:{:02}", date_text(local), local.tm_hour, local.tm_min);
}

std::string format_local_second(Instant at, Instant now) {
  const std::tm local = local_time(at);
  const std::string clock =
      fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
  const std::string date = date_text(local);
  return date == date_text(local_time(now)) ? clock : date + " " + clock;
}

}  // namespace hermes
