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
      return length >= issuer.least && has_digit ? std::optional(Found{0, length}) : std::nullopt;
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

// "Bearer <value>" and the like, with or without the header's name in front.
std::optional<Found> credentials(std::string_view text) {
  for (const std::string_view scheme : {"bearer ", "basic ", "token "}) {
    if (!starts_with_folded(text, scheme)) {
      continue;
    }
    const std::string_view rest = text.substr(scheme.size());
    const std::string_view value =
        rest.substr(0, length_of(rest.substr(0, k_looked_at), is_base64));
    const bool looks_made = value.size() >= 16 && std::any_of(value.begin(), value.end(), is_digit);
    return looks_made ? std::optional(Found{scheme.size(), length_of(rest, is_base64)})
                      : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Found> private_key(std::string_view text) {
  constexpr std::string_view k_begin = "-----BEGIN ";
  if (!text.starts_with(k_begin)) {
    return std::nullopt;
  }
  const std::string_view head = first_line(text.substr(0, k_longest_head));
  if (head.find("PRIVATE KEY-----") == std::string_view::npos) {
    return std::nullopt;
  }
  // A key that is cut off is masked to the end of the text.
  const std::size_t end = text.find("-----END ", head.size());
  return Found{head.size(), (end == std::string_view::npos ? text.size() : end) - head.size()};
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
  return value.size() < 4 || value.find_first_of("$`{<") == 0 || value.starts_with("***") ||
         std::find(k_nothing.begin(), k_nothing.end(), folded) != k_nothing.end();
}

std::size_t length_of_value(std::string_view text, char quote) {
  if (quote == 0) {
    return length_of(text, [](char c) {
      return std::string_view(" \t\r\n\"',;&|)(}]").find(c) == std::string_view::npos;
    });
  }
  std::size_t at = 0;
  while (at < text.size() && text[at] != quote && text[at] != '\n') {
    at += text[at] == '\\' ? 2 : 1;
  }
  return std::min(at, text.size());
}

// At the beginning of a name: NAME=value, NAME="value", "name": "value", name: value.
std::optional<Found> named_value(std::string_view text) {
  const std::size_t name = length_of(text.substr(0, k_longest_name), is_key);
  if (name == 0 || !is_secret_name(text.substr(0, name))) {
    return std::nullopt;
  }
  std::size_t at = name;
  const bool quoted_name = at < text.size() && (text[at] == '"' || text[at] == '\'');
  at += quoted_name ? 1 : 0;
  const std::size_t gap = length_of(text.substr(at), [](char c) { return c == ' '; });
  const char sign = at + gap < text.size() ? text[at + gap] : '\0';
  if ((sign != '=' && sign != ':') || (gap > 1)) {
    return std::nullopt;
  }
  at += gap + 1;
  at += length_of(text.substr(at), [](char c) { return c == ' '; });
  char quote = 0;
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
    quote = text[at++];
  }
  const std::string_view rest = text.substr(at);
  const std::string_view value =
      rest.substr(0, length_of_value(rest.substr(0, k_looked_at), quote));
  // After a colon stands prose as often as a value; a value is quoted, or made of letters and
  // digits.
  const bool made = value.size() >= 12 && std::any_of(value.begin(), value.end(), is_digit) &&
                    std::any_of(value.begin(), value.end(), is_letter);
  if (is_harmless(value) || (sign == ':' && quote == 0 && !made)) {
    return std::nullopt;
  }
  return Found{at, length_of_value(rest, quote)};
}

std::optional<Found> find_at(std::string_view text) {
  if (text.front() == ':') {
    return url_password(text);
  }
  if (text.front() == '-') {
    return private_key(text);
  }
  for (const auto form : {issued_key, web_token, credentials, named_value}) {
    if (const auto found = form(text)) {
      return found;
    }
  }
  return std::nullopt;
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

std::string mask_secrets(std::string_view text) {
  std::string out;
  std::size_t copied = 0;  // what is before it stands in `out`
  bool after_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool begins_word = (is_letter(c) || c == '_') && !after_word;
    const auto found =
        begins_word || c == '-' || c == ':' ? find_at(text.substr(at)) : std::nullopt;
    if (!found) {
      after_word = is_word(c);
      ++at;
      continue;
    }
    const std::string_view secret = text.substr(at + found->kept, found->secret);
    out.append(text.substr(copied, at + found->kept - copied));
    out += text.substr(at).starts_with("-----BEGIN ") ? "\n***\n" : masked_value(secret);
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

}  // namespace hermes
