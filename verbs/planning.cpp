#include "kernel/board/planning.hpp"

#include <fmt/core.h>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/board_settings.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/planner.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

// What came of one task: its line, and whether the call is to go on with the next.
struct Item {
  Json line;
  std::optional<Error> failure;
  std::vector<std::string> notes;
  bool goes_on = true;
};

Json line_of(const std::string& id, PlanKind kind) {
  Json line{{"task_id", id}, {"ok", false}, {"reason", nullptr}, {"new_title", nullptr}};
  if (kind == PlanKind::decompose) {
    line["fanout"] = false;
    line["child_ids"] = nullptr;
  }
  line["status"] = nullptr;
  return line;
}

class Planning {
 public:
  Planning(Call& call, OpenBoard& open, PlanKind kind)
      : call_(call), open_(open), kind_(kind), author_(call.values.text_or("author", "")) {
    if (trim(author_).empty()) {
      author_ = call.environment.author();
    }
  }

  Item plan(const std::string& given) {
    Item item{.line = line_of(given, kind_), .failure = std::nullopt, .notes = {}};
    if (auto done = attempt(given, item); !done) {
      item.line["reason"] = done.error().message;
      item.failure = named(done.error(), item.line["task_id"].get<std::string>());
      using enum ErrorCode;
      const ErrorCode code = done.error().code;
      item.goes_on = item.goes_on && code != busy && code != damaged && code != schema;
    }
    return item;
  }

 private:
  // Every transaction at its own time: a planner takes minutes.
  template <class Body>
  auto write(Body body) {
    return change_at(open_, call_, call_.host.now(), std::move(body));
  }

  // Refusals of the board name their task themselves.
  Error named(Error error, const std::string& id) const {
    if (error.message.find(id) == std::string::npos) {
      error.message = fmt::format("cannot {} {}: {}", to_word(kind_), id, error.message);
    }
    return error;
  }

  Result<void> attempt(const std::string& given, Item& item) {
    TRY(check_planner(call_, open_));
    TRY_ASSIGN(const board::Asked asked, write([&](board::Change& tx) -> Result<board::Asked> {
                 TRY_ASSIGN(const std::string id, board::resolve_id(tx.tx, given));
                 item.line["task_id"] = id;
                 return board::begin_planning(tx, id, kind_,
                                              {.term = home::planning_term(open_.config, kind_),
                                               .if_due = call_.values.flag("if-due")},
                                              open_.config.planner.limits);
               }));
    auto asking = ask_planner(call_, open_, asked, kind_);
    if (asking && !*asking) {
      item.goes_on = false;
      asking = fail(ErrorCode::conflict, "it was told to stop", "nothing was changed");
    }
    auto done = asking ? apply(asked, **asking, item) : std::unexpected(asking.error());
    if (!done) {
      TRY(write_failure(asked, done.error()));
    }
    return done;
  }

  Result<void> apply(const board::Asked& asked, Plan& plan, Item& item) {
    item.notes = plan.notes;
    if (const auto* rewrite = std::get_if<rules::Rewrite>(&plan.proposal)) {
      TRY_ASSIGN(const board::Specified done, write([&](board::Change& tx) {
                   return board::specify(tx, asked, *rewrite, author_);
                 }));
      report(done.task, item);
      item.line["new_title"] = done.task.title == asked.task.title ? Json() : Json(done.task.title);
      return {};
    }
    TRY_ASSIGN(const home::BoardSettings settings, home::load_board_settings(open_.paths));
    const auto& graph = std::get<rules::Graph>(plan.proposal);
    TRY_ASSIGN(const board::Decomposed done, write([&](board::Change& tx) {
                 return board::decompose(tx, asked, graph,
                                         {.limits = open_.config.planner.limits,
                                          .default_workdir = settings.default_workdir,
                                          .author = author_,
                                          .notes = plan.notes});
               }));
    report(done.task, item);
    item.line["fanout"] = true;
    item.line["child_ids"] = done.child_ids;
    return {};
  }

  static void report(const Task& task, Item& item) {
    item.line["ok"] = true;
    item.line["status"] = to_word(task.status);
  }

  // What others did meanwhile, that it could not be started, and that we were told to stop, says
  // nothing about the task.
  Result<void> write_failure(const board::Asked& asked, const Error& error) {
    return write([&](board::Change& tx) -> Result<void> {
      if (error.code == ErrorCode::conflict || error.code == ErrorCode::not_found) {
        board::forget_planning(tx, asked);
        return {};
      }
      TRY(board::fail_planning(tx, asked, kind_, error.message, open_.config.planner.limits));
      return {};
    });
  }

  Call& call_;
  OpenBoard& open_;
  PlanKind kind_;
  std::string author_;
};

// Why --all passes over a task; nothing when it does not. A person who asks for all has seen that
// the planner was given up.
std::optional<rules::NotDue> pass_over(const board::Triaged& task, Instant now,
                                       const PlanningLimits& limits) {
  auto reason = rules::not_due(task.escalated, task.planning, now, limits);
  return reason && reason->why != rules::NotDue::Why::given_up ? std::move(reason) : std::nullopt;
}

Result<void> check_choice(const Values& values) {
  if (values.has("task_id") == values.flag("all")) {
    return fail(ErrorCode::usage,
                values.flag("all") ? "a task and --all are both given" : "no task is named",
                "give one id, or --all for every task that was created in triage");
  }
  if (values.has("tenant") && !values.flag("all")) {
    return fail(ErrorCode::usage, "--tenant is given without --all",
                "it chooses among all tasks in triage");
  }
  return {};
}

// The ids that are to be planned; who is passed over is told.
Result<std::vector<std::string>> chosen(Call& call, OpenBoard& open, Answer& answer,
                                        std::size_t& passed_over) {
  if (const auto id = call.values.text("task_id")) {
    return std::vector{*id};
  }
  TRY(check_planner(call, open));
  TRY_ASSIGN(const auto all,
             open.database.read([&](db::Reader& tx) -> Result<std::vector<board::Triaged>> {
               return board::triaged(tx, call.host.now(), open.config.planner.limits, k_most_ids);
             }));
  const auto tenant = call.values.text("tenant");
  std::vector<std::string> ids;
  for (const board::Triaged& task : all) {
    if (tenant && task.tenant != trim(*tenant)) {
      continue;
    }
    if (const auto reason = pass_over(task, call.host.now(), open.config.planner.limits)) {
      answer.advice.push_back(fmt::format("note: {} is passed over: {}", task.id, reason->text));
      ++passed_over;
    } else {
      ids.push_back(task.id);
    }
  }
  return ids;
}

Result<Answer> plan(Call& call, PlanKind kind) {
  TRY(check_choice(call.values));
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  std::size_t passed_over = 0;
  TRY_ASSIGN(const auto ids, chosen(call, open, answer, passed_over));
  Planning planning(call, open, kind);
  answer.value = Json::array();
  std::size_t done = 0;
  for (const std::string& id : ids) {
    Item item = planning.plan(id);
    done += item.line["ok"] == true ? 1 : 0;
    answer.value.push_back(std::move(item.line));
    std::ranges::move(item.notes, std::back_inserter(answer.advice));
    if (item.failure) {
      answer.failures.push_back(*std::move(item.failure));
    }
    if (!item.goes_on) {
      break;
    }
  }
  answer.exit_status = done == 0 && !ids.empty() ? 1 : 0;
  answer.people = {{"passed_over", passed_over}};
  if (ids.empty()) {
    answer.value = {{kind == PlanKind::specify ? "specified" : "decomposed", 0},
                    {"total", 0},
                    {"passed_over", passed_over}};
  } else if (call.values.has("task_id")) {
    Json only = std::move(answer.value[0]);
    answer.value = std::move(only);
  }
  return answer;
}

}  // namespace

Result<Answer> specify(Call& call) { return plan(call, PlanKind::specify); }

Result<Answer> decompose(Call& call) { return plan(call, PlanKind::decompose); }

}  // namespace hermes::verbs
