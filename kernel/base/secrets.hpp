#pragma once

#include <string>
#include <string_view>

// Masking of what looks like a secret, before it is stored. By form, never by the meaning of prose:
// text without such a form comes back unchanged, byte for byte.
//
// Masked are
//   * keys with the prefix of their issuer (sk-…, ghp_…, AKIA…, xoxb-…, glpat-…, AIza… and others)
//   * JSON Web Tokens (RFC 7519): three base64url parts that begin with eyJ
//   * the value after Bearer, Basic and Token (RFC 9110), where it is no path; after Authorization:
//     also one of letters alone
//   * the body of a PEM private key (RFC 7468)
//   * the password of a URL with user information (RFC 3986)
//   * the value after NAME= or "name": where the name says that it is a secret, in JSON within JSON
//     too (\"name\": \"value\"), if it has at least four characters
// A value of up to 17 characters becomes "***", a longer one keeps its first and last four
// characters. Words and numbers that "/", ".", "-" and "_" join are paths and branches, not keys.
// What a shell or a template fills in later ($X, ${X}, $(…), {x}, <x>) is no secret and stays.
namespace hermes {

std::string mask_secrets(std::string_view text);

// The same for texts that may be programs, such as bodies: what NAME= and "name": stand before is
// masked only where it is drawn at random, at least 12 characters of a key's alphabet with letters
// and digits among them. Everything else that is an expression of some language stays.
std::string mask_surely_secret(std::string_view text);

// Whether a name says that its value is a secret: password, secret, token, api_key, credential …
bool is_secret_name(std::string_view name);

// "***", or the ends of a long value.
std::string masked_value(std::string_view value);

}  // namespace hermes
