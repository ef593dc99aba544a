#include "mcp/host.hpp"

#include <fmt/core.h>

namespace hermes::mcp {

Result<int> CallHost::run_dispatcher(const std::vector<std::string>&, Handover) {
  return fail(ErrorCode::forbidden, "a server of agents does not start one");
}

Result<std::string> CallHost::read_input(std::size_t most) {
  if (input_.size() > most) {
    return fail(ErrorCode::invalid,
                fmt::format("{} bytes were given, and at most {} are kept", input_.size(), most),
                "shorten it, or keep the material in a file and name the file");
  }
  return std::move(input_);
}

}  // namespace hermes::mcp
