#include "kernel/base/time.hpp"

#include <fmt/core.h>

#include <charconv>
#include <ctime>
#include <optional>

#include "kernel/base/text.hpp"

namespace hermes {

namespace {

constexpr std::int64_t k_last_second = 253402300799;  // 9999-12-31T23:59:59Z

// Reads the text from left to right; what does not fit makes it fail for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : left_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }
  bool next_is(std::string_view any_of) const {
    return !left_.empty() && any_of.find(left_.front()) != std::string_view::npos;
  }
  char take() {
    ok_ = ok_ && !left_.empty();
    const char c = left_.empty() ? 0 : left_.front();
    left_.remove_prefix(left_.empty() ? 0 : 1);
    return c;
  }
  void expect(char c) { ok_ = take() == c && ok_; }
  // Exactly `digits` digits.
  int number(int digits, int least, int most) {
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = take();
      ok_ = ok_ && c >= '0' && c <= '9';
      value = value * 10 + (c - '0');
    }
    ok_ = ok_ && value >= least && value <= most;
    return value;
  }
  // Digits after a point, as milliseconds; further ones count for nothing.
  int fraction() {
    int ms = 0;
    int scale = 100;
    ok_ = ok_ && next_is("0123456789");
    while (next_is("0123456789")) {
      ms += (take() - '0') * scale;
      scale /= 10;
    }
    return ms;
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

int days_of(int year, int month) {
  constexpr int k_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : k_days[month - 1];
}

// The offset from UTC in minutes: "Z", "+01:00", "-23:59".
int offset(Scanner& scan) {
  const char sign = scan.take();
  if (sign == 'Z' || sign == 'z') {
    return 0;
  }
  const int hours = scan.number(2, 0, 23);
  scan.expect(':');
  const int minutes = hours * 60 + scan.number(2, 0, 59);
  return sign == '-' ? -minutes : minutes;
}

std::optional<Instant> parse_date(std::string_view text) {
  Scanner scan(text);
  std::tm at{};
  const int year = scan.number(4, 1970, 9999);
  scan.expect('-');
  const int month = scan.number(2, 1, 12);
  scan.expect('-');
  if (!scan.ok()) {
    return std::nullopt;
  }
  at.tm_year = year - 1900;
  at.tm_mon = month - 1;
  at.tm_mday = scan.number(2, 1, days_of(year, month));
  const bool blank = scan.next_is(" ");
  if (!scan.next_is(" Tt")) {
    return std::nullopt;
  }
  scan.take();
  at.tm_hour = scan.number(2, 0, 23);
  scan.expect(':');
  at.tm_min = scan.number(2, 0, 59);
  int ms = 0;
  const bool seconds = scan.next_is(":");
  if (seconds) {
    scan.take();
    at.tm_sec = scan.number(2, 0, 60);  // 60: a leap second
    if (scan.next_is(".")) {
      scan.take();
      ms = scan.fraction();
    }
  }
  std::int64_t since_epoch = 0;
  if (scan.at_end() && blank) {  // local time
    at.tm_isdst = -1;
    since_epoch = std::mktime(&at);
  } else {  // RFC 3339 wants seconds and an offset
    if (!seconds || !scan.next_is("Zz+-")) {
      return std::nullopt;
    }
    const int minutes = offset(scan);
    if (!scan.at_end()) {
      return std::nullopt;
    }
    since_epoch = timegm(&at) - minutes * 60;
  }
  return scan.ok() && since_epoch >= 0 && since_epoch <= k_last_second
             ? std::optional(Instant{since_epoch * 1000 + ms})
             : std::nullopt;
}

std::optional<Instant> parse_epoch(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = problem == std::errc{} && end == text.data() + text.size();
  return whole && seconds >= 0 && seconds <= k_last_second ? std::optional(Instant{seconds * 1000})
                                                           : std::nullopt;
}

}  // namespace

Result<Instant> parse_time(std::string_view text) {
  const std::string_view trimmed = trim(text);
  auto at = parse_epoch(trimmed);
  if (!at) {
    at = parse_date(trimmed);
  }
  if (at) {
    return *at;
  }
  return fail(ErrorCode::usage, fmt::format("malformed time '{}'", printable(clip(text, 100))),
              "write 2026-11-20T18:40:00+01:00 (RFC 3339), 2026-11-20 18:40 (local time), or "
              "seconds since 1970");
}

}  // namespace hermes
