// Single values as people write them: durations, moments, ids, names of boards and profiles.
#include <fmt/core.h>
#include <stdlib.h>
#include <time.h>

#include <cmath>

#include "fuzz/harness.hpp"
#include "kernel/base/duration.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/base/time.hpp"
#include "kernel/board/import_values.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/home/settings.hpp"

using namespace hermes;
using fuzz::require;

namespace {

constexpr std::int64_t k_ten_years = std::int64_t{10} * 366 * 86'400'000;
constexpr std::int64_t k_last_ms = 253'402'300'800'000;  // the year 10000

void check_duration(std::string_view text) {
  const auto length = parse_duration(text);
  fuzz::require_told(length);
  if (!length) {
    return;
  }
  require(length->count() >= 0 && length->count() <= k_ten_years, "a duration has a range", text);
  require(!format_duration(*length).empty(), "a duration can be shown", text);
  const auto file = home::parse_settings("k = " + home::toml_duration(*length) + "\n", "f");
  const auto again = home::as_duration(file.value().items.at(0), Millis{0}, Millis{k_ten_years});
  require(again && *again == *length, "a duration that is written is read as the same", text);
}

void check_time(std::string_view text) {
  const auto at = parse_time(text);
  fuzz::require_told(at);
  if (!at) {
    return;
  }
  require(at->ms >= 0 && at->ms < k_last_ms, "a moment has a range", text);
  const auto again = parse_time(format_local_second(*at, {at->ms - 400LL * 86'400'000}));
  require(again && again->seconds() == at->seconds(), "a moment that is shown is read as the same",
          text);
}

void check_names(std::string_view text) {
  const auto slug = home::parse_slug(text);
  fuzz::require_told(slug);
  require(!slug || (is_file_name(*slug) && home::parse_slug(*slug) == slug),
          "a board's name is a file name and reads as itself", text);
  const auto profile = home::parse_profile_name(text);
  fuzz::require_told(profile);
  require(!profile || (is_file_name(*profile) && home::parse_profile_name(*profile) == profile),
          "a profile's name is a file name and reads as itself", text);
  require(!is_task_id(text) || (is_task_id_prefix(text) && is_file_name(text)),
          "a task id is one of its own beginnings, and a file name", text);
  expand_tilde(text, "/home/somebody");
}

void check_foreign(std::string_view text) {
  const std::string word(text);
  for (const auto& at : {board::parse_timestamp(text), board::instant_of(word),
                         board::instant_of_number(std::strtod(word.c_str(), nullptr))}) {
    require(!at || (at->ms >= 0 && at->ms < k_last_ms), "a foreign moment has a range", text);
  }
  board::integer_of(word);
  board::integer_of(std::strtod(word.c_str(), nullptr));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool utc = ::setenv("TZ", "UTC", 1) == 0 && (::tzset(), true);
  require(utc, "the time zone can be set");
  const std::vector<std::string> words = fuzz::words_of(fuzz::text_of(data, size));
  const std::string_view text = words.empty() ? std::string_view() : words.front();
  check_duration(text);
  check_time(text);
  check_names(text);
  check_foreign(text);
  return 0;
}
