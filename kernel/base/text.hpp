#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"

namespace hermes {

// ASCII white space is stripped from both ends.
std::string_view trim(std::string_view text);

// ASCII only: names on a board are ASCII by rule or compared byte for byte.
std::string to_lower(std::string_view text);

// Well-formed UTF-8 as RFC 3629 defines it (no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

// Longest prefix of at most `bytes` bytes that does not cut a UTF-8 character.
std::string_view clip(std::string_view text, std::size_t bytes);

// The text, or what `clip` leaves of it and how many bytes more there were.
std::string clip_telling(std::string_view text, std::size_t bytes);

// For terminals: control characters and bytes that are not UTF-8 become \n, \t, \x1b …, and so do
// the marks that turn the direction of text, and what shows nothing; everything else stays.
std::string printable(std::string_view text);

// Like printable, but line breaks and tabs stay.
std::string printable_lines(std::string_view text);

// UTF-8 on one line, without control characters and without marks that turn the direction: what may
// be a name.
bool is_plain(std::string_view text);

// JSON of the same value in which all that `printable` does not leave as it is stands as \uXXXX.
// Only strings of JSON hold such characters, but for line breaks.
std::string printable_json(std::string_view json);

// Up to the first line break.
std::string_view first_line(std::string_view text);

// Words separated by `separator`, trimmed, blanks dropped.
std::vector<std::string> split_list(std::string_view text, char separator);

// "1 file", "2 files": a noun that takes an 's'.
std::string counted(std::int64_t number, std::string_view noun);

std::string join(const std::vector<std::string>& words, std::string_view separator);

// Up to three of `words` that may have been meant by `word`, the nearest first: by edit distance
// (Levenshtein), or because they contain it.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& words);

// ", did you mean a or b?" of those that `nearest` finds; "" when it finds none.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

// Columns a terminal uses for the text: 2 for wide East Asian characters and emoji, 0 for combining
// marks, 1 otherwise.
std::size_t display_width(std::string_view text);

// The beginning of a text that fits into `columns` columns, with "…" as its last when something was
// cut off.
std::string clip_columns(std::string_view text, std::size_t columns);

// Lines of at most `columns` columns, broken at blanks; a longer word stays whole. At least one
// line.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

// One line of a help page: `left` indented by two, and `right` beginning at column `at`, wrapped to
// `columns`. Ends in a newline.
std::string help_row(std::string_view left, std::string_view right, std::size_t at,
                     std::size_t columns);

// True for JSON with more than k_deepest_json arrays and objects within each other: programs that
// walk through it, ours too, do so recursively.
inline constexpr std::size_t k_deepest_json = 200;
bool nests_too_deep(std::string_view json);

// Refuses what the board cannot store faithfully: invalid UTF-8, NUL bytes, more than `most` bytes.
// `what` names the field in the message. Error: invalid.
Result<void> check_text(std::string_view what, std::string_view text, std::size_t most);

}  // namespace hermes
