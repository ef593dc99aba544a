#include "kernel/base/secrets.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "kernel/base/text.hpp"

namespace hermes {

namespace {

constexpr std::size_t k_short = 17;  // a longer value shows its ends
constexpr std::size_t k_end = 4;
constexpr std::size_t k_longest_name = 64;  // the bounds keep the search linear
constexpr std::size_t k_longest_head = 100;
constexpr std::size_t k_longest_authority = 512;
constexpr std::size_t k_looked_at = 256;  // of a value, to tell what it is

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
bool is_key(char c) { return is_word(c) || c == '-'; }
bool is_base64(char c) { return is_key(c) || c == '+' || c == '/' || c == '=' || c == '.'; }

template <class Is>
std::size_t length_of(std::string_view text, Is is) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is) - text.begin());
}

// A part of the text that is a secret, and what of it is kept in front.
struct Found {
  std::size_t kept = 0;    // bytes that stay
  std::size_t secret = 0;  // bytes after them that are masked
};

// Words and numbers joined by "/", ".", "-" and "_", as paths and branches are: no key, whatever
// stands in front of it. What is drawn at random mixes letters and digits.
bool reads_like_words(std::string_view text) {
  constexpr std::size_t k_longest_word = 15;
  constexpr std::size_t k_longest_number = 8;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find_first_of("/.-_"));
    const std::size_t letters = length_of(part, is_letter);
    const std::size_t digits = length_of(part.substr(letters), is_digit);
    if (letters > k_longest_word || digits > k_longest_number || letters + digits != part.size()) {
      return false;
    }
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  return true;
}

struct Issuer {
  std::string_view prefix;
  std::size_t least;  // characters of the whole key
};
// The longer one of two that begin alike stands first.
constexpr Issuer k_issuers[] = {
    {"sk-ant-", 24},  {"sk-proj-", 24}, {"sk_live_", 20},    {"sk_test_", 20},
    {"rk_live_", 20}, {"sk-", 24},      {"github_pat_", 30}, {"ghp_", 24},
    {"gho_", 24},     {"ghu_", 24},     {"ghs_", 24},        {"ghr_", 24},
    {"glpat-", 20},   {"xoxb-", 20},    {"xoxp-", 20},       {"xoxa-", 20},
    {"xoxs-", 20},    {"xapp-", 20},    {"AKIA", 20},        {"ASIA", 20},
    {"AIza", 35},     {"ya29.", 24},    {"hf_", 24},         {"npm_", 24},
    {"pypi-", 24},    {"dop_v1_", 24},  {"SG.", 30},         {"AGE-SECRET-KEY-", 40},
};

std::optional<Found> issued_key(std::string_view text) {
  for (const Issuer& issuer : k_issuers) {
    if (text.starts_with(issuer.prefix)) {
      text = text.substr(0, 4 * k_looked_at);
      const std::size_t length =
          issuer.prefix.size() + length_of(text.substr(issuer.prefix.size()),
                                           [](char c) { return is_key(c) || c == '.'; });
      const std::string_view key = text.substr(0, length);
      const bool has_digit = std::any_of(key.begin(), key.end(), is_digit);
      const bool is_made = has_digit && !reads_like_words(key.substr(issuer.prefix.size()));
      return length >= issuer.least && is_made ? std::optional(Found{0, length}) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Found> web_token(std::string_view text) {
  constexpr std::size_t k_part = 10;
  if (!text.starts_with("eyJ")) {
    return std::nullopt;
  }
  text = text.substr(0, 32 * k_looked_at);
  std::size_t at = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t length = length_of(text.substr(at), is_key);
    if (length < k_part) {
      return std::nullopt;
    }
    at += length;
    if (part < 2) {
      if (at >= text.size() || text[at] != '.') {
        return std::nullopt;
      }
      ++at;
    }
  }
  return Found{0, at};
}

bool starts_with_folded(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && to_lower(text.substr(0, word.size())) == word;
}

// RFC 4648: nothing when it is not base64 with all its padding.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view k_digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  const std::string_view digits = text.substr(0, text.find('='));
  if (text.size() % 4 != 0 || text.size() - digits.size() > 2) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t value = k_digits.find(digits[i]);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<unsigned>(value);
    if (i % 4 != 0) {
      out += static_cast<char>((bits >> (6U - 2U * (i % 4))) & 0xFFU);
    }
  }
  return out;
}

// What "Basic" carries: user:password.
bool is_user_and_password(std::string_view value) {
  const auto text = from_base64(value);
  return text && text->find(':') != std::string::npos &&
         std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// "Bearer <value>" and the like. Without the header's name in front it may be prose.
std::optional<Found> scheme_and_value(std::string_view text, bool in_header) {
  for (const std::string_view scheme : {"bearer ", "basic ", "token "}) {
    if (!starts_with_folded(text, scheme)) {
      continue;
    }
    const std::string_view rest = text.substr(scheme.size());
    const std::string_view value =
        rest.substr(0, length_of(rest.substr(0, k_looked_at), is_base64));
    const bool has_digit = std::any_of(value.begin(), value.end(), is_digit);
    const bool looks_made =
        value.size() >= 16 && (in_header || has_digit) && !reads_like_words(value);
    const bool is_basic = scheme == "basic " && is_user_and_password(value);
    return looks_made || is_basic ? std::optional(Found{scheme.size(), length_of(rest, is_base64)})
                                  : std::nullopt;
  }
  return std::nullopt;
}

bool is_blank(char c) { return c == ' '; }

// The quotation mark at `at` and, where it is escaped (JSON within JSON), the backslashes before
// it; "" when there is none.
std::string_view quote_at(std::string_view text, std::size_t at) {
  constexpr std::size_t k_most_backslashes = 3;
  const std::string_view rest = text.substr(std::min(at, text.size()), k_most_backslashes + 1);
  const std::size_t backslashes = length_of(rest, [](char c) { return c == '\\'; });
  const bool is_quote =
      backslashes < rest.size() && (rest[backslashes] == '"' || rest[backslashes] == '\'');
  return is_quote ? rest.substr(0, backslashes + 1) : std::string_view();
}

// What stands between a name and its value: the name's closing quotation mark, the sign, and the
// value's opening one.
struct Assignment {
  std::size_t length = 0;
  char sign = 0;           // '=' or ':'
  std::string_view quote;  // "" when the value is bare
};
std::optional<Assignment> assignment(std::string_view text) {
  std::size_t at = quote_at(text, 0).size();
  const std::size_t gap = length_of(text.substr(at), is_blank);
  const char sign = at + gap < text.size() ? text[at + gap] : '\0';
  if ((sign != '=' && sign != ':') || gap > 1) {
    return std::nullopt;
  }
  at += gap + 1;
  at += length_of(text.substr(at), is_blank);
  const std::string_view quote = quote_at(text, at);
  return Assignment{at + quote.size(), sign, quote};
}

std::optional<Found> credentials(std::string_view text) {
  constexpr std::string_view k_header = "authorization";
  if (!starts_with_folded(text, k_header)) {
    return scheme_and_value(text, false);
  }
  const auto between = assignment(text.substr(k_header.size()));
  if (!between) {
    return std::nullopt;
  }
  const std::size_t at = k_header.size() + between->length;
  auto found = scheme_and_value(text.substr(at), true);
  if (found) {
    found->kept += at;
  }
  return found;
}

std::optional<Found> private_key(std::string_view text) {
  constexpr std::string_view k_begin = "-----BEGIN ";
  constexpr std::string_view k_head_ends = "PRIVATE KEY-----";
  if (!text.starts_with(k_begin)) {
    return std::nullopt;
  }
  const std::string_view line = first_line(text.substr(0, k_longest_head));
  const std::size_t found = line.find(k_head_ends);
  if (found == std::string_view::npos) {
    return std::nullopt;
  }
  // A key that is cut off is masked to the end of the text.
  const std::size_t head = found + k_head_ends.size();
  const std::size_t end = text.find("-----END ", head);
  return Found{head, (end == std::string_view::npos ? text.size() : end) - head};
}

// A key on lines of its own keeps them.
std::string masked_key(std::string_view body) {
  return body.starts_with('\n') || body.starts_with("\r\n") ? "\n***\n" : "***";
}

// At "://": the password of user:password@host.
std::optional<Found> url_password(std::string_view text) {
  constexpr std::string_view k_mark = "://";
  if (!text.starts_with(k_mark)) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(k_mark.size(), k_longest_authority);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \t\r\n\"'<>"));
  const std::size_t at = authority.rfind('@');
  const std::size_t colon = authority.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= at) {
    return std::nullopt;
  }
  const std::string_view password = authority.substr(colon + 1, at - colon - 1);
  const std::size_t port = length_of(password, is_digit);
  if (port > 0 && port < password.size() && (password[port] == ',' || password[port] == ';')) {
    return std::nullopt;  // the end of the URL, and something else with an '@' in it
  }
  if (password.front() == '$' || password.front() == '{' || password.front() == '<') {
    return std::nullopt;
  }
  return Found{k_mark.size() + colon + 1, password.size()};
}

// What is filled in later, or says nothing.
bool is_harmless(std::string_view value) {
  constexpr std::array<std::string_view, 8> k_nothing = {"true", "false", "null",     "none",
                                                         "yes",  "no",    "required", "optional"};
  const std::string folded = to_lower(value);
  return (value.size() < 4 && value != "***") || value.find_first_of("$`{<") == 0 ||
         std::find(k_nothing.begin(), k_nothing.end(), folded) != k_nothing.end();
}

std::size_t length_of_value(std::string_view text, std::string_view quote) {
  if (quote.empty()) {
    return length_of(text, [](char c) {
      return std::string_view(" \t\r\n\"',;&|)(}]").find(c) == std::string_view::npos;
    });
  }
  const std::size_t escape = quote.size() == 1 ? 2 : 2 * quote.size();  // of one character within
  std::size_t at = 0;
  while (at < text.size() && text[at] != '\n' && !text.substr(at).starts_with(quote)) {
    at += text[at] == '\\' ? escape : 1;
  }
  return std::min(at, text.size());
}

// At the beginning of a name: NAME=value, NAME="value", "name": "value", name: value.
std::optional<Found> named_value(std::string_view text) {
  const std::size_t name = length_of(text.substr(0, k_longest_name), is_key);
  if (name == 0 || !is_secret_name(text.substr(0, name))) {
    return std::nullopt;
  }
  const auto between = assignment(text.substr(name));
  if (!between) {
    return std::nullopt;
  }
  const std::size_t at = name + between->length;
  const std::string_view rest = text.substr(at);
  const std::string_view value =
      rest.substr(0, length_of_value(rest.substr(0, k_looked_at), between->quote));
  // After a colon stands prose as often as a value; a value is quoted, or made of letters and
  // digits.
  const bool made = value.size() >= 12 && std::any_of(value.begin(), value.end(), is_digit) &&
                    std::any_of(value.begin(), value.end(), is_letter);
  if (is_harmless(value) || (between->sign == ':' && between->quote.empty() && !made)) {
    return std::nullopt;
  }
  return Found{at, length_of_value(rest, between->quote)};
}

// What is written in a program may be an expression: a key is drawn at random from a small
// alphabet.
bool is_drawn(std::string_view value) {
  constexpr std::size_t k_least = 12;
  return value.size() >= k_least && length_of(value, is_base64) == value.size() &&
         std::any_of(value.begin(), value.end(), is_digit) &&
         std::any_of(value.begin(), value.end(), is_letter) && !reads_like_words(value);
}

std::optional<Found> named_key(std::string_view text) {
  const auto found = named_value(text);
  return found && is_drawn(text.substr(found->kept, found->secret)) ? found : std::nullopt;
}

using Form = std::optional<Found> (*)(std::string_view);

std::optional<Found> find_at(std::string_view text, Form named) {
  if (text.front() == ':') {
    return url_password(text);
  }
  if (text.front() == '-') {
    return private_key(text);
  }
  for (const Form form : {issued_key, web_token, credentials, named}) {
    if (const auto found = form(text)) {
      return found;
    }
  }
  return std::nullopt;
}

// What masked_value makes of a long one, so that a text that comes through twice stays as it is.
bool is_masked(std::string_view value) {
  constexpr std::string_view k_stars = "***";
  for (std::size_t head = 0; head <= std::min(k_end, value.size()); ++head) {
    if (value.substr(head).starts_with(k_stars) && value.size() - head - k_stars.size() <= k_end) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 11> k_words = {
      "password", "passwd",     "passphrase", "secret",      "token",     "apikey",
      "api_key",  "access_key", "accesskey",  "private_key", "credential"};
  std::string folded = to_lower(name);
  std::replace(folded.begin(), folded.end(), '-', '_');
  // Counts and limits of tokens, and names of files, are none.
  for (const std::string_view harmless : {"tokens", "_count", "_limit", "_budget", "_file", "_path",
                                          "_dir", "_name", "_id", "_type", "_url", "_length"}) {
    if (folded.ends_with(harmless)) {
      return false;
    }
  }
  return std::any_of(k_words.begin(), k_words.end(),
                     [&](std::string_view word) { return folded.find(word) != std::string::npos; });
}

std::string masked_value(std::string_view value) {
  if (is_masked(value)) {
    return std::string(value);
  }
  if (value.size() <= k_short || !is_utf8(value)) {
    return "***";
  }
  const std::string_view head = clip(value, k_end);
  std::size_t tail = value.size() - k_end;
  while (tail < value.size() && (static_cast<unsigned char>(value[tail]) & 0xC0U) == 0x80U) {
    ++tail;
  }
  return std::string(head) + "***" + std::string(value.substr(tail));
}

namespace {

std::string masked(std::string_view text, Form named) {
  std::string out;
  std::size_t copied = 0;  // what is before it stands in `out`
  bool after_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool begins_word = (is_letter(c) || c == '_') && !after_word;
    const auto found =
        begins_word || c == '-' || c == ':' ? find_at(text.substr(at), named) : std::nullopt;
    if (!found) {
      // The letter of a written \n, \r or \t belongs to no word.
      const bool escaped = at > 0 && text[at - 1] == '\\' && (c == 'n' || c == 'r' || c == 't');
      after_word = is_word(c) && !escaped;
      ++at;
      continue;
    }
    const std::string_view secret = text.substr(at + found->kept, found->secret);
    out.append(text.substr(copied, at + found->kept - copied));
    out += c == '-' ? masked_key(secret) : masked_value(secret);
    at += found->kept + found->secret;
    copied = at;
    after_word = false;
  }
  if (copied == 0) {
    return std::string(text);
  }
  out.append(text.substr(copied));
  return out;
}

}  // namespace

std::string mask_secrets(std::string_view text) { return masked(text, named_value); }

std::string mask_surely_secret(std::string_view text) { return masked(text, named_key); }

}  // namespace hermes
