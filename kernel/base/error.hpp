#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace hermes {

// The closed list of what can go wrong for a caller. Each code carries its exit status and HTTP
// status in one table (error.cpp), so that every surface answers alike.
enum class ErrorCode {
  usage,        // the request is malformed: wrong flag, duration, JSON, name
  invalid,      // the request is well-formed, its content is not acceptable
  not_found,    // no such task, board, profile, link
  conflict,     // the task is in a state from which this move is not possible
  forbidden,    // a worker may not change what is not its own
  not_yours,    // an old epoch or a wrong run token: somebody else holds it now
  locked,       // another dispatcher holds the lock
  busy,         // the write gate or the database could not be had in time
  damaged,      // the board file is not a healthy database
  schema,       // the board is older or newer than this program
  unavailable,  // disk full, read-only, permission, I/O error
  internal,     // a bug of ours
};

struct ErrorTraits {
  std::string_view name;
  int exit_status;  // 1 refused or not found, 2 usage, 3 another dispatcher holds the lock
  int http_status;
};

const ErrorTraits& traits(ErrorCode code);

// `message` names the value and the rule, `hint` the next step (may be empty). Neither ends in a
// newline.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string hint;

  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint)});
}

// "message" or "message: hint" on one line, for logs.
std::string one_line(const Error& error);

}  // namespace hermes

#define HERMES_CONCAT_(a, b) a##b
#define HERMES_CONCAT(a, b) HERMES_CONCAT_(a, b)

// TRY(expr): returns the error of a Result from the enclosing function; its value, if any, is
// dropped.
#define TRY(expr)                                            \
  do {                                                       \
    if (auto try_result = (expr); !try_result) {             \
      return std::unexpected(std::move(try_result).error()); \
    }                                                        \
  } while (false)

// TRY_ASSIGN(decl, expr): `decl` becomes the value of a Result, or the enclosing function returns
// its error.
// NOLINTBEGIN(bugprone-macro-parentheses): a name and a declaration cannot stand in parentheses.
#define TRY_ASSIGN(decl, expr) TRY_ASSIGN_(HERMES_CONCAT(try_value_, __LINE__), decl, expr)
#define TRY_ASSIGN_(tmp, decl, expr)                \
  auto tmp = (expr);                                \
  if (!tmp) {                                       \
    return std::unexpected(std::move(tmp).error()); \
  }                                                 \
  decl = *std::move(tmp)
// NOLINTEND(bugprone-macro-parentheses)
