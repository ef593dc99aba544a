#include "verbs/call.hpp"

#include <fmt/core.h>

#include <charconv>

#include "kernel/base/text.hpp"
#include "verbs/verb.hpp"

namespace hermes::verbs {

std::string Environment::variable(std::string_view name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

std::string Environment::author() const {
  for (const std::string_view name : {"HERMES_PROFILE", "USER"}) {
    if (std::string value(trim(variable(name))); !value.empty()) {
      return value;
    }
  }
  return "user";
}

Actor Environment::actor() const {
  Actor actor{author(), std::nullopt};
  const std::string task = variable("HERMES_KANBAN_TASK");
  const std::string run = variable("HERMES_KANBAN_RUN_ID");
  const std::string token = variable("HERMES_KANBAN_RUN_TOKEN");
  if (task.empty() && run.empty() && token.empty()) {
    return actor;
  }
  WorkerIdentity worker{variable("HERMES_KANBAN_BOARD"), task, 0, token};
  std::int64_t id = 0;
  const auto [end, problem] = std::from_chars(run.data(), run.data() + run.size(), id);
  if (problem == std::errc{} && end == run.data() + run.size()) {
    worker.run_id = id;
  }
  actor.worker = std::move(worker);
  return actor;
}

Result<Answer> perform(Call& call) {
  const Verb& verb = call.verb;
  if (verb.properties.for_people && call.environment.actor().worker) {
    return fail(ErrorCode::forbidden,
                fmt::format("a worker cannot use `hermes{}{} {}`: it is for people",
                            verb.group.empty() ? "" : " ", verb.group, verb.name),
                "a worker changes its own task; it may create, link and comment");
  }
  return verb.handler(call);
}

}  // namespace hermes::verbs
