#include "verbs/handlers.hpp"

namespace hermes::verbs {

Result<Answer> mcp(Call& call) {
  Answer answer;
  TRY_ASSIGN(answer.exit_status, call.host.serve_agents(call.values.flag("orchestrator")));
  return answer;
}

}  // namespace hermes::verbs
