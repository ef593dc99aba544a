#include "kernel/base/error.hpp"

namespace hermes {

const ErrorTraits& traits(ErrorCode code) {
  static constexpr ErrorTraits k_traits[] = {
      {"usage", 2, 400},     {"invalid", 1, 422},   {"not_found", 1, 404},   {"conflict", 1, 409},
      {"forbidden", 1, 403}, {"not_yours", 1, 409}, {"locked", 3, 423},      {"busy", 1, 503},
      {"damaged", 1, 500},   {"schema", 1, 500},    {"unavailable", 1, 503}, {"internal", 1, 500},
  };
  static_assert(std::size(k_traits) == static_cast<std::size_t>(ErrorCode::internal) + 1);
  return k_traits[static_cast<std::size_t>(code)];
}

std::string one_line(const Error& error) {
  return error.hint.empty() ? error.message : error.message + ": " + error.hint;
}

}  // namespace hermes
