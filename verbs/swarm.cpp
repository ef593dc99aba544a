#include "kernel/board/swarm.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

// A name as skills have it: begins with a small letter, then small letters, digits, '.', '_', '-'.
bool is_skill_word(std::string_view word) {
  return !word.empty() && word.front() >= 'a' && word.front() <= 'z' &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string_view::npos;
}

// The third field of PROFILE:TITLE:SKILLS: words separated by commas, nothing else. Anything else
// after a colon belongs to the title. An empty field ("PROFILE:TITLE:") says that there are none.
bool is_skill_list(std::string_view field) {
  while (true) {
    const auto comma = field.find(',');
    if (!is_skill_word(field.substr(0, comma))) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    field.remove_prefix(comma + 1);
  }
}

Result<board::SwarmWorker> parse_worker(const std::string& text,
                                        const std::vector<std::string>& skills_of_all) {
  const auto first = text.find(':');
  if (first == std::string::npos) {
    return fail(ErrorCode::usage,
                fmt::format("--worker '{}' has no colon", printable(clip(text, 200))),
                "write PROFILE:TITLE, or PROFILE:TITLE:SKILL,SKILL");
  }
  board::SwarmWorker worker;
  worker.profile = assignee_name(text.substr(0, first));
  worker.title = text.substr(first + 1);
  worker.skills = skills_of_all;
  const auto last = worker.title.rfind(':');
  if (last == std::string::npos || last == 0 || worker.title[last - 1] == ':') {
    return worker;
  }
  const std::string field = worker.title.substr(last + 1);
  if (field.empty() || is_skill_list(field)) {
    worker.title.resize(last);
    std::ranges::copy(split_list(field, ','), std::back_inserter(worker.skills));
  }
  return worker;
}

}  // namespace

Result<Answer> swarm(Call& call) {
  const Values& values = call.values;
  board::SwarmRequest request;
  request.goal = values.text_or("goal", "");
  for (const std::string& text : values.list("worker")) {
    TRY_ASSIGN(board::SwarmWorker worker, parse_worker(text, values.list("worker-skill")));
    request.workers.push_back(std::move(worker));
  }
  request.verifier = assignee_name(values.text_or("verifier", ""));
  request.synthesizer = assignee_name(values.text_or("synthesizer", ""));
  request.tenant = values.text_or("tenant", call.environment.variable("HERMES_TENANT"));
  request.priority = values.integer("priority").value_or(0);
  request.created_by = values.text_or("created-by", call.environment.author());
  const std::string session = call.environment.variable("HERMES_SESSION_ID");
  request.origin = session.empty() ? std::nullopt : std::optional(session);
  request.idempotency_key = values.text("idempotency-key");
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(const board::Swarm made, change(open, call, [&](board::Change& tx) {
               return board::create_swarm(tx, request);
             }));
  Answer answer;
  answer.value = {{"root_id", made.root_id},
                  {"worker_ids", made.worker_ids},
                  {"verifier_id", made.verifier_id},
                  {"synthesizer_id", made.synthesizer_id},
                  {"existing", made.existing}};
  if (!made.existing) {
    for (const board::SwarmWorker& worker : request.workers) {
      tell_unknown_assignee(open, worker.profile, answer);
    }
    tell_unknown_assignee(open, request.verifier, answer);
    tell_unknown_assignee(open, request.synthesizer, answer);
  }
  if (made.existing && made.goal != trim(request.goal)) {
    answer.advice.push_back(fmt::format(
        "note: the swarm {} has this idempotency key already, with the goal '{}'; nothing was "
        "changed",
        made.root_id, printable(clip(first_line(made.goal), 200))));
  }
  tell_config_error(open, answer);
  return answer;
}

}  // namespace hermes::verbs
