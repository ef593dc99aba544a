#include "verbs/goal.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/names.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

constexpr Millis k_judge_limit = std::chrono::minutes{10};
constexpr std::size_t k_words_bytes = 4096;
constexpr std::int64_t k_default_turns = 20;
constexpr int k_later = 75;             // EX_TEMPFAIL: the worker is to be tried again later
constexpr int k_most_failed_turns = 3;  // in a row

std::vector<std::string> environment_with(const Call& call,
                                          const std::map<std::string, std::string>& more) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : call.environment.variables) {
    if (!more.contains(name)) {
      lines.push_back(name + "=" + value);
    }
  }
  for (const auto& [name, value] : more) {
    lines.push_back(name + "=" + value);
  }
  return lines;
}

std::string last_part(std::string_view text) {
  text = trim(text);
  return std::string(text.size() > k_words_bytes ? text.substr(text.size() - k_words_bytes) : text);
}

}  // namespace

Result<Judgement> ask_judge(Call& call, const std::string& judge, std::string_view exit,
                            const std::string& reason) {
  home::ChildCommand command;
  command.argv = {"/bin/sh", "-c", judge};
  command.environment = environment_with(
      call, {{"HERMES_KANBAN_GOAL_EXIT", std::string(exit)},
             {"HERMES_KANBAN_GOAL_REASON", std::string(clip(reason, k_words_bytes))}});
  command.out_bytes = 16 * k_words_bytes;
  command.err_bytes = k_words_bytes;
  command.end_remains = true;
  TRY_ASSIGN(const home::ChildEnd end, call.host.run_child(command, k_judge_limit));
  const std::string words = last_part(trim(end.out).empty() ? end.err : end.out);
  if (end.kind == home::ChildEnd::Kind::exited && (end.code == 0 || end.code == 1)) {
    return Judgement{end.code == 0, words};
  }
  const std::string how = end.kind == home::ChildEnd::Kind::exited
                              ? fmt::format("ended with {}", end.code)
                          : end.kind == home::ChildEnd::Kind::signaled
                              ? fmt::format("was killed by signal {}", end.code)
                          : end.kind == home::ChildEnd::Kind::timed_out ? "took too long"
                                                                        : "could not be run";
  return fail(ErrorCode::unavailable,
              fmt::format("the judge {}{}{}", how, words.empty() ? "" : ": ",
                          printable(mask_secrets(clip(first_line(words), 300)))),
              "0 means that the goal is reached, 1 that it is not yet; mend the judge");
}

Result<void> pass_judge(Call& call, const std::vector<std::string>& task_ids, std::string_view exit,
                        const std::string& reason) {
  const std::string judge = call.environment.variable(k_judge_variable);
  const std::string own = call.environment.variable("HERMES_KANBAN_TASK");
  const bool is_own = std::ranges::any_of(
      task_ids, [&](const std::string& id) { return !id.empty() && own.starts_with(trim(id)); });
  if (judge.empty() || own.empty() || !is_own) {
    return {};
  }
  TRY_ASSIGN(const Judgement judged, ask_judge(call, judge, exit, reason));
  if (!judged.agrees) {
    return fail(ErrorCode::conflict,
                fmt::format("the judge of this goal does not agree to {}{}{}", exit,
                            judged.words.empty() ? "" : ": ", printable(first_line(judged.words))),
                "go on with the work; a turn that ends is judged too");
  }
  return {};
}

namespace {

struct Goal {
  std::string judge;
  std::int64_t turns = k_default_turns;
  std::vector<std::string> agent;
  std::string task_id;
};

Result<Goal> goal_of(const Call& call) {
  Goal goal;
  goal.agent = call.values.list("command");
  goal.judge = call.values.text_or("judge", "");
  goal.task_id = call.environment.variable("HERMES_KANBAN_TASK");
  if (!call.environment.actor().worker) {
    return fail(ErrorCode::usage, "goal is for a worker: there is no run here",
                "write it into the command of a profile, before the agent");
  }
  if (trim(goal.judge).empty()) {
    return fail(ErrorCode::usage, "--judge is empty", "give the command that judges");
  }
  std::int64_t told = 0;
  const std::string variable = call.environment.variable("HERMES_KANBAN_GOAL_MAX_TURNS");
  for (const char c : variable) {
    told = c >= '0' && c <= '9' && told < 100'000 ? told * 10 + (c - '0') : told;
  }
  goal.turns = call.values.integer("max-turns").value_or(told > 0 ? told : k_default_turns);
  return goal;
}

// Whether the run of this worker is still the one that may end the task.
Result<bool> is_still_ours(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  return open.database.read([&](db::Reader& tx) -> Result<bool> {
    const auto task = board::find_task(tx, call.environment.variable("HERMES_KANBAN_TASK"));
    return task && task->status == Status::running &&
           task->current_run_id == call.environment.actor().worker->run_id;
  });
}

Result<Answer> end_with(Call& call, const Goal& goal, bool done, std::int64_t turn,
                        const std::string& words) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(
      const Status status, change(open, call, [&](board::Change& tx) -> Result<Status> {
        if (done) {
          const std::string summary = fmt::format("The judge agreed after turn {} of {}{}{}", turn,
                                                  goal.turns, words.empty() ? "" : ": ", words);
          TRY_ASSIGN(
              const board::Moved moved,
              board::complete(tx, goal.task_id, {summary, std::nullopt, std::nullopt}, false));
          return moved.task.status;
        }
        const std::string reason = fmt::format("the goal is not reached after {} turns{}{}", turn,
                                               words.empty() ? "" : ": ", words);
        TRY_ASSIGN(const board::Moved moved,
                   board::block(tx, goal.task_id, BlockKind::needs_input, reason));
        return moved.task.status;
      }));
  Answer answer;
  answer.value = {{"task_id", goal.task_id},
                  {"reached", done},
                  {"turns", turn},
                  {"status", to_word(status)},
                  {"words", words}};
  return answer;
}

}  // namespace

Result<Answer> goal(Call& call) {
  TRY_ASSIGN(const Goal goal, goal_of(call));
  std::string feedback;
  int failed = 0;
  for (std::int64_t turn = 1; turn <= goal.turns; ++turn) {
    const auto environment =
        environment_with(call, {{std::string(k_judge_variable), goal.judge},
                                {"HERMES_KANBAN_GOAL_MODE", "1"},
                                {"HERMES_KANBAN_GOAL_MAX_TURNS", std::to_string(goal.turns)},
                                {"HERMES_KANBAN_GOAL_TURN", std::to_string(turn)},
                                {"HERMES_KANBAN_GOAL_FEEDBACK", feedback}});
    TRY_ASSIGN(const int status, call.host.run_attached(goal.agent, environment));
    TRY_ASSIGN(const bool ours, is_still_ours(call));
    Answer answer;
    answer.value = {{"task_id", goal.task_id},
                    {"reached", false},
                    {"turns", turn},
                    {"status", ours ? Json("running") : Json(nullptr)},
                    {"words", feedback}};
    if (!ours) {  // the agent has given its verdict, or the run was taken away
      return answer;
    }
    failed = status == 0 ? 0 : failed + 1;
    if (status == k_later || failed == k_most_failed_turns) {
      answer.exit_status = status;
      answer.advice.push_back(fmt::format("turn {}: the agent ended with {}", turn, status));
      return answer;
    }
    TRY_ASSIGN(const Judgement judged, ask_judge(call, goal.judge, "turn", ""));
    feedback = judged.words;
    if (judged.agrees) {
      return end_with(call, goal, true, turn, feedback);
    }
  }
  return end_with(call, goal, false, goal.turns, feedback);
}

}  // namespace hermes::verbs
