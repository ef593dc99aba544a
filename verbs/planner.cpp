#include "verbs/planner.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "kernel/base/duration.hpp"
#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/names.hpp"
#include "kernel/home/board_settings.hpp"
#include "kernel/home/command.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/names.hpp"
#include "verbs/programs.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

constexpr std::size_t k_body_shown = 32 * 1024;
constexpr std::size_t k_comments_shown = 10;
constexpr std::size_t k_comment_bytes = 1000;
constexpr std::size_t k_assignees_shown = 200;
constexpr std::size_t k_description_bytes = 200;
constexpr std::size_t k_err_bytes = 4096;
constexpr std::size_t k_said_bytes = 300;
constexpr std::size_t k_name_shown = 60;

// Whom tasks may be given to: those who have a profile or work already.
std::set<std::string> known_assignees(OpenBoard& open) {
  std::set<std::string> names;
  for (const std::string& name : home::list_profiles(open.home)) {
    names.insert(name);
  }
  (void)open.database.read([&](db::Reader& tx) -> Result<void> {
    for (const std::string& name : board::assignee_names(tx)) {
      names.insert(name);
    }
    return {};
  });
  return names;
}

Json assignees_json(OpenBoard& open) {
  Json out = Json::array();
  for (const std::string& name : known_assignees(open)) {
    if (out.size() == k_assignees_shown) {
      break;
    }
    const auto profile = home::load_profile(open.home, name);
    out.push_back({{"name", name},
                   {"description",
                    profile ? std::string(clip(profile->description, k_description_bytes)) : ""}});
  }
  return out;
}

Json comments_json(OpenBoard& open, const std::string& id) {
  Json out = Json::array();
  (void)open.database.read([&](db::Reader& tx) -> Result<void> {
    const auto comments = board::comments_of(tx, id);
    for (std::size_t i = comments.size() - std::min(comments.size(), k_comments_shown);
         i < comments.size(); ++i) {
      out.push_back({{"author", comments[i].author},
                     {"body", std::string(clip(comments[i].body, k_comment_bytes))}});
    }
    return {};
  });
  return out;
}

bool is_cut(const Task& task) { return task.body.value_or("").size() > k_body_shown; }

std::string request_of(OpenBoard& open, const Task& task, PlanKind kind) {
  const std::string body(clip(task.body.value_or(""), k_body_shown));
  const Json request{{"kind", to_word(kind)},
                     {"task",
                      {{"id", task.id},
                       {"title", task.title},
                       {"body", task.body ? Json(body) : Json(nullptr)},
                       {"body_cut", is_cut(task)},
                       {"assignee", or_null(task.assignee)},
                       {"tenant", or_null(task.tenant)},
                       {"priority", task.priority},
                       {"workspace_kind", to_word(task.workspace_kind)},
                       {"workspace_path", or_null(task.workspace_path)},
                       {"comments", comments_json(open, task.id)}}},
                     {"assignees", assignees_json(open)},
                     {"default_assignee", or_null(open.config.limits.default_assignee)},
                     {"max_children", open.config.planner.limits.max_children}};
  return request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string said(const std::string& text) {
  return printable(mask_secrets(clip(first_line(trim(text)), k_said_bytes)));
}

// The last line is where commands say what was wrong.
std::string last_words(const std::string& err) {
  const std::string_view text = trim(err);
  const auto line = text.rfind('\n');
  const std::string last =
      said(std::string(line == std::string_view::npos ? text : text.substr(line + 1)));
  return last.empty() ? "" : ": " + last;
}

Result<std::string> output_of(const home::ChildEnd& end, const std::string& program, Millis limit,
                              std::int64_t most) {
  const std::string name = fmt::format("the planner '{}'", printable(program));
  using enum home::ChildEnd::Kind;
  switch (end.kind) {
    case not_started:
      return fail(ErrorCode::not_found,
                  fmt::format("{} cannot be started: {}", name, std::strerror(end.code)),
                  "[planner] command names it, an absolute path or a program in PATH");
    case timed_out:
      return fail(ErrorCode::unavailable,
                  fmt::format("{} took longer than {}{}", name, format_duration(limit),
                              last_words(end.err)),
                  "[planner] specify_timeout and decompose_timeout say how long it may take");
    case too_much_output:
      return fail(ErrorCode::invalid, fmt::format("{} answered more than {} bytes", name, most),
                  "[planner] max_output is the limit");
    case signaled:
      return fail(ErrorCode::unavailable,
                  fmt::format("{} was killed by signal {}{}", name, end.code, last_words(end.err)));
    default:
      break;
  }
  if (end.code != 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} ended with status {}{}", name, end.code, last_words(end.err)));
  }
  return end.out;
}

std::unexpected<Error> bad_answer(const std::string& what, std::string hint = {}) {
  return fail(ErrorCode::invalid, "the planner's answer " + what, std::move(hint));
}

// One object of the answer. A key that we do not know may be a slip that loses a dependency.
class Fields {
 public:
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  Result<void> only(const std::vector<std::string>& legal) const {
    if (!object_.is_object()) {
      return bad_answer(fmt::format("has no JSON object {}", where_));
    }
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(legal, key) == legal.end()) {
        return bad_answer(
            fmt::format("has an unknown key '{}' {}", printable(clip(key, k_name_shown)), where_),
            "the keys there are " + join(legal, ", "));
      }
    }
    return {};
  }
  const Json& at(const char* key) const {
    static const Json k_none;
    const auto found = object_.find(key);
    return found == object_.end() ? k_none : *found;
  }
  Result<std::optional<std::string>> text(const char* key) const {
    const Json& value = at(key);
    if (value.is_null()) {
      return std::nullopt;
    }
    if (!value.is_string()) {
      return bad_answer(fmt::format("has something else than a text as '{}' {}", key, where_));
    }
    return value.get<std::string>();
  }

 private:
  const Json& object_;
  std::string where_;
};

Result<rules::Rewrite> rewrite_of(const Fields& fields) {
  rules::Rewrite rewrite;
  TRY_ASSIGN(rewrite.title, fields.text("title"));
  TRY_ASSIGN(rewrite.body, fields.text("body"));
  TRY_ASSIGN(const auto assignee, fields.text("assignee"));
  rewrite.assignee = assignee.value_or("");
  return rewrite;
}

Result<rules::PlannedTask> child_of(const Json& json, std::size_t place) {
  const std::string where = fmt::format("in child {}", place);
  const Fields fields(json, where);
  TRY(fields.only({"title", "body", "assignee", "parents", "workspace_kind", "workspace_path"}));
  rules::PlannedTask child;
  TRY_ASSIGN(const auto title, fields.text("title"));
  TRY_ASSIGN(child.body, fields.text("body"));
  TRY_ASSIGN(const auto assignee, fields.text("assignee"));
  TRY_ASSIGN(const auto kind, fields.text("workspace_kind"));
  TRY_ASSIGN(child.workspace_path, fields.text("workspace_path"));
  child.title = title.value_or("");
  child.assignee = assignee.value_or("");
  if (kind) {
    child.workspace_kind = from_word<WorkspaceKind>(*kind);
    if (!child.workspace_kind) {
      return bad_answer(fmt::format("has a workspace_kind '{}' {}", said(*kind), where),
                        "the kinds are " + word_list<WorkspaceKind>());
    }
  }
  const Json& parents = fields.at("parents");
  if (!parents.is_null() && !parents.is_array()) {
    return bad_answer(fmt::format("has something else than a list as 'parents' {}", where));
  }
  for (const Json& parent : parents) {
    // An unsigned number beyond the signed ones would come back as a negative one, which is
    // refused.
    if (!parent.is_number_integer()) {
      return bad_answer(
          fmt::format("has something else than whole numbers in 'parents' {}", where));
    }
    child.parents.push_back(parent.get<std::int64_t>());
  }
  return child;
}

Result<std::variant<rules::Rewrite, rules::Graph>> decomposition_of(const Fields& fields) {
  const Json& fanout = fields.at("fanout");
  const Json& children = fields.at("children");
  if (!fanout.is_boolean()) {
    return bad_answer("does not say whether it splits the task",
                      R"("fanout" must be true, with "children", or false)");
  }
  if (!children.is_null() && !children.is_array()) {
    return bad_answer("has something else than a list as 'children'");
  }
  if (!fanout.get<bool>()) {
    if (!children.empty()) {
      return bad_answer("has children, and \"fanout\": false");
    }
    return rewrite_of(fields);
  }
  if (!fields.at("title").is_null() || !fields.at("body").is_null()) {
    return bad_answer("has a title or a body for a task that it splits",
                      "they go with \"fanout\": false");
  }
  rules::Graph graph;
  TRY_ASSIGN(const auto assignee, fields.text("assignee"));
  graph.root_assignee = assignee.value_or("");
  for (std::size_t place = 0; place < children.size(); ++place) {
    TRY_ASSIGN(rules::PlannedTask child, child_of(children[place], place));
    graph.children.push_back(std::move(child));
  }
  return graph;
}

Result<std::variant<rules::Rewrite, rules::Graph>> parse_answer(const std::string& text,
                                                                PlanKind kind) {
  if (trim(text).empty()) {
    return fail(ErrorCode::invalid, "the planner answered nothing",
                "it must write one JSON object to its standard output");
  }
  const Json answer = board::parse_json<Json>(text);
  if (!answer.is_object()) {
    return bad_answer(fmt::format("is not a JSON object: {}", said(text)),
                      "it must write one JSON object and nothing else to its standard output");
  }
  const Fields fields(answer, "at its top");
  if (kind == PlanKind::specify) {
    TRY(fields.only({"title", "body", "assignee"}));
    return rewrite_of(fields);
  }
  TRY(fields.only({"fanout", "children", "assignee", "title", "body"}));
  return decomposition_of(fields);
}

// A model likes to invent names. `otherwise` takes the place of one that nobody has.
class Assignees {
 public:
  Assignees(OpenBoard& open, Plan& plan) : known_(known_assignees(open)), plan_(plan) {}

  void settle(std::string& name, const std::string& otherwise, const std::string& of) {
    const std::string given = assignee_name(name);
    const bool known = known_.contains(given);
    if (!given.empty() && !known) {
      plan_.notes.push_back(fmt::format(
          "note: '{}' was proposed for {} and is nobody here: {}",
          printable(mask_secrets(clip(given, k_name_shown))), of,
          otherwise.empty() ? "nobody is assigned" : fmt::format("'{}' is assigned", otherwise)));
    }
    name = known ? given : otherwise;
  }

 private:
  std::set<std::string> known_;
  Plan& plan_;
};

void settle_assignees(OpenBoard& open, const Task& task, PlanKind kind, Plan& plan) {
  Assignees assignees(open, plan);
  const std::string& fallback = open.config.limits.default_assignee;
  const auto unless_assigned = [&](const std::string& otherwise) {
    return task.assignee.empty() ? otherwise : task.assignee;
  };
  if (auto* rewrite = std::get_if<rules::Rewrite>(&plan.proposal)) {
    // decompose leaves nobody without an assignee, specify only passes on what is proposed.
    assignees.settle(rewrite->assignee,
                     unless_assigned(kind == PlanKind::decompose ? fallback : ""), task.id);
    return;
  }
  auto& graph = std::get<rules::Graph>(plan.proposal);
  for (rules::PlannedTask& child : graph.children) {
    assignees.settle(
        child.assignee, fallback,
        fmt::format("'{}'", printable(clip(mask_secrets(trim(child.title)), k_name_shown))));
  }
  const std::string& root = open.config.planner.limits.root_assignee;
  if (root.empty()) {
    assignees.settle(graph.root_assignee, unless_assigned(""), task.id);
  } else {
    graph.root_assignee = root;
  }
}

}  // namespace

Result<void> check_planner(const Call& call, const OpenBoard& open) {
  if (open.config_error) {
    return std::unexpected(*open.config_error);
  }
  if (open.config.planner.command.empty()) {
    return fail(ErrorCode::unavailable, "no planner is configured",
                "name its command in [planner] of " + printable(open.home.config().string()) +
                    "; docs/examples has two");
  }
  if (const auto problem = problem_of_command(open.config.planner.command.front(),
                                              call.environment.variable("PATH"))) {
    return fail(ErrorCode::unavailable, "the planner cannot be asked: " + *problem,
                "[planner] command names it, an absolute path or a program in PATH");
  }
  return {};
}

Result<std::optional<Plan>> ask_planner(Call& call, OpenBoard& open, const board::Asked& asked,
                                        PlanKind kind) {
  const home::Planner& planner = open.config.planner;
  const Millis limit = home::planner_timeout(planner, kind);
  std::map<std::string, std::string> ours(call.environment.variables.begin(),
                                          call.environment.variables.end());
  TRY_ASSIGN(
      const home::ChildEnd end,
      call.host.run_child(
          {.argv = planner.command,
           .environment = home::child_environment(
               planner.env_pass, planner.env, ours,
               {{"HERMES_HOME", open.home.dir.string()}, {"HERMES_KANBAN_BOARD", open.paths.slug}}),
           .input = request_of(open, asked.task, kind),
           .directory = "/",
           .out_bytes = static_cast<std::size_t>(planner.max_output),
           .err_bytes = k_err_bytes,
           .end_when_full = true,
           .end_remains = true},
          limit));
  if (end.kind == home::ChildEnd::Kind::cancelled) {
    return std::nullopt;
  }
  TRY_ASSIGN(const std::string text,
             output_of(end, planner.command.front(), limit, planner.max_output));
  Plan plan;
  TRY_ASSIGN(plan.proposal, parse_answer(text, kind));
  if (const auto* rewrite = std::get_if<rules::Rewrite>(&plan.proposal);
      rewrite != nullptr && rewrite->body && is_cut(asked.task)) {
    return bad_answer(
        fmt::format("has a new body, but the planner has seen only the first {} bytes "
                    "of the old one",
                    k_body_shown),
        "what it has not seen would be lost: shorten the body, or `promote` the task");
  }
  settle_assignees(open, asked.task, kind, plan);
  return plan;
}

}  // namespace hermes::verbs
