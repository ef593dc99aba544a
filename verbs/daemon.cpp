#include "verbs/handlers.hpp"

namespace hermes::verbs {

namespace {

// The dispatcher knows the flags of the verb by the same names.
std::vector<std::string> flags_of(const Call& call) {
  std::vector<std::string> flags;
  for (const Argument& argument : call.verb.arguments) {
    for (const std::string& value : call.values.list(argument.name)) {
      flags.push_back("--" + std::string(argument.name));
      if (argument.type == Type::boolean) {
        break;
      }
      flags.push_back(value);
    }
  }
  return flags;
}

Result<Answer> become_dispatcher(Call& call, const std::vector<std::string>& flags) {
  TRY_ASSIGN(const int status, call.host.run_dispatcher(flags, Host::Handover::replace));
  Answer answer;
  answer.exit_status = status;
  return answer;
}

}  // namespace

Result<Answer> daemon(Call& call) { return become_dispatcher(call, flags_of(call)); }

Result<Answer> dispatch(Call& call) {
  std::vector<std::string> flags = flags_of(call);
  flags.insert(flags.begin(), "--once");
  if (call.json) {
    flags.emplace_back("--json");
  }
  return become_dispatcher(call, flags);
}

}  // namespace hermes::verbs
