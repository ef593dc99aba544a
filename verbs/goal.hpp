#pragma once

#include <string>

#include "verbs/call.hpp"

// Goal mode: `goal` runs an agent again and again until a judge, a command of the user's, says that
// the goal is reached. The judge also stands before every verdict that the agent gives itself
// meanwhile: whoever could end by `block` would not have to reach the goal.
namespace hermes::verbs {

// The judge's command line, for /bin/sh; set by `goal` for the agent. It exits with 0: yes, 1: not
// yet. Anything else means that it is broken, and a broken judge agrees to nothing.
inline constexpr std::string_view k_judge_variable = "HERMES_KANBAN_GOAL_JUDGE";

struct Judgement {
  bool agrees = false;
  std::string words;  // the last part of what it printed
};
// `exit`: "turn", or the verdict that is asked for ("complete", "block", …). Error: unavailable:
// the judge is broken or takes longer than 10 minutes.
Result<Judgement> ask_judge(Call& call, const std::string& judge, std::string_view exit,
                            const std::string& reason);

// For verbs that end the run of the worker that calls them. Outside goal mode, and for other tasks
// than the worker's own, everything passes. Error: conflict with the judge's words; unavailable.
Result<void> pass_judge(Call& call, const std::vector<std::string>& task_ids, std::string_view exit,
                        const std::string& reason);

}  // namespace hermes::verbs
