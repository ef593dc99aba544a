#include "mcp/prompts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"

namespace hermes::mcp {

namespace {

struct Prompt {
  std::string_view name;
  std::string_view title;
  std::string_view about;
  bool of_triage;         // for tasks in triage alone
  std::string_view text;  // {} is the id of the task
};
constexpr Prompt k_prompts[] = {
    {"work-task", "Work on a task", "the task as its worker is given it, and how to work on it",
     false,
     "Work on kanban task {0}, and on nothing else. It is described below.\n"
     "\n"
     "- Begin with kanban_show: comments and results of earlier attempts may change what is "
     "asked.\n"
     "- Stay in the workspace that you were started in.\n"
     "- In long work say with kanban_heartbeat how far you are, at least once an hour.\n"
     "- When only a person can decide, do not guess: kanban_block with kind needs_input and the "
     "question.\n"
     "- What else should be done becomes a task of its own with kanban_create.\n"
     "- When it is done: kanban_complete with a summary of one to three sentences, and metadata "
     "for "
     "the tasks that wait. No passwords, keys or tokens in any of it.\n"
     "- Always end with kanban_complete or kanban_block.\n"},
    {"triage-card", "Look at a task in triage", "a rough idea, and what to make of it", true,
     "Kanban task {0} is in triage: a rough idea that nobody works on yet. It is described below.\n"
     "\n"
     "- Say what is meant, what is missing and how one would know that it is done.\n"
     "- If it is several tasks, make them with kanban_create, each with an assignee that exists "
     "and "
     "with `parents` for what it waits for.\n"
     "- Put what you have decided into a comment on it with kanban_comment, with the ids of what "
     "you have made. A person moves it on with `hermes kanban promote {0}`.\n"},
};

// The text that a worker of the task is given. Error: also when the task is in no state for the
// prompt.
Result<verbs::Answer> context_of(const Session& session, const Prompt& prompt,
                                 const std::string& task, const std::string& board) {
  const auto call = [&](std::string_view verb) {
    Session::Given given;
    given.values.add("task_id", task);
    given.board = board.empty() ? std::nullopt : std::optional(board);
    return session.call(kanban_verb(verb), std::move(given));
  };
  TRY_ASSIGN(const verbs::Answer shown, call("show"));
  const std::string status = shown.value["task"]["status"];
  const bool is_over = status == "done" || status == "archived";
  if (prompt.of_triage ? status != "triage" : is_over) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is {}, and {} is for {}", task, status, prompt.name,
                            prompt.of_triage ? "tasks in triage" : "tasks that are not over"));
  }
  return call("context");
}

}  // namespace

Json prompt_list(const Session& session) {
  Json out = Json::array();
  if (session.role() == Role::nobody) {
    return out;
  }
  const bool worker = session.role() == Role::worker;
  for (const Prompt& prompt : k_prompts) {
    out.push_back(
        {{"name", prompt.name},
         {"title", prompt.title},
         {"description", prompt.about},
         {"arguments",
          Json::array({{{"name", "task_id"},
                        {"description", worker ? "the task (default: your task)" : "the task"},
                        {"required", !worker}},
                       {{"name", "board"},
                        {"description", "the board that it is on (default: the board at hand)"},
                        {"required", false}}})}});
  }
  return out;
}

Outcome get_prompt(const Session& session, const Json& params) {
  const Json name = params.value("name", Json());
  const Json given = params.value("arguments", Json());
  const Json arguments = given.is_null() ? Json::object() : given;
  const auto* prompt = std::ranges::find_if(
      k_prompts, [&](const Prompt& one) { return name.is_string() && name == one.name; });
  if (session.role() == Role::nobody || prompt == std::end(k_prompts)) {
    return refused(k_invalid_params, "there is no such prompt here");
  }
  const auto argument = [&](const char* key, const std::string& otherwise) {
    return arguments.is_object() ? arguments.value(key, Json(otherwise)) : Json();
  };
  const Json task = argument("task_id", session.own_task());
  const Json board = argument("board", "");
  if (!task.is_string() || trim(task.get<std::string>()).empty()) {
    return refused(k_invalid_params, "`task_id` must be the id of a task");
  }
  if (!board.is_string()) {
    return refused(k_invalid_params, "`board` must be the name of a board");
  }
  const auto context = context_of(session, *prompt, task, board);
  if (!context) {
    return refused(k_invalid_params, one_line(context.error()));
  }
  const std::string text =
      fmt::format(fmt::runtime(prompt->text), context->value["task_id"].get<std::string>()) + "\n" +
      context->value["text"].get<std::string>();
  return Json{{"description", prompt->about},
              {"messages",
               Json::array({{{"role", "user"}, {"content", {{"type", "text"}, {"text", text}}}}})}};
}

std::string instructions(const Session& session) {
  switch (session.role()) {
    case Role::worker:
      return fmt::format(
          "You are the worker of kanban task {}. Begin with kanban_show, and end with "
          "kanban_complete or kanban_block. task_id may be left out: it is your task, the only one "
          "that you may change. You may create, link and comment on others.",
          printable(session.own_task()));
    case Role::orchestrator:
      return "A kanban board whose tasks are started as processes. You plan: break work into tasks "
             "with kanban_create (an assignee each, `parents` for what a task waits for), watch "
             "them with kanban_list, answer blocked ones with kanban_comment and kanban_unblock. "
             "Do not do their work yourself.";
    case Role::nobody:
      break;
  }
  return "Nothing is offered in this session: it is not the worker of a task, and was not started "
         "with --orchestrator.";
}

}  // namespace hermes::mcp
