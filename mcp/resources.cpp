#include "mcp/resources.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "kernel/base/text.hpp"
#include "mcp/answers.hpp"
#include "mcp/schema.hpp"
#include "mcp/tools.hpp"
#include "verbs/table.hpp"

namespace hermes::mcp {

namespace {

constexpr std::string_view k_scheme = "hermes://board/";
constexpr std::string_view k_json = "application/json";
constexpr std::string_view k_markdown = "text/markdown";
constexpr std::size_t k_echo_bytes = 1024;  // of an address, in errors
constexpr std::size_t k_most_boards = 200;
constexpr std::size_t k_most_listed = 50;  // tasks in resources/list
constexpr std::size_t k_most_open = 200;   // tasks in the picture of a board

// What is nearest to an end first.
constexpr std::array<std::string_view, 7> k_open = {"running", "review", "ready",    "blocked",
                                                    "todo",    "triage", "scheduled"};

struct Address {
  std::string board;
  std::string task;  // "": the board itself
  bool context = false;
};

std::optional<Address> parse_address(std::string_view uri) {
  if (!uri.starts_with(k_scheme)) {
    return std::nullopt;
  }
  uri.remove_prefix(k_scheme.size());
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t slash = uri.find('/');
    parts.push_back(uri.substr(0, slash));
    if (slash == std::string_view::npos) {
      break;
    }
    uri.remove_prefix(slash + 1);
  }
  const bool task = (parts.size() == 3 || parts.size() == 4) && parts[1] == "task";
  const bool context = parts.size() == 4 && parts[3] == "context";
  if (std::ranges::any_of(parts, [](std::string_view part) { return part.empty(); }) ||
      !(parts.size() == 1 || (task && (parts.size() == 3 || context)))) {
    return std::nullopt;
  }
  return Address{std::string(parts[0]), task ? std::string(parts[2]) : "", context};
}

std::string board_uri(const std::string& board) { return std::string(k_scheme) + board; }
std::string task_uri(const std::string& board, const std::string& task) {
  return fmt::format("{}/task/{}", board_uri(board), task);
}

Json resource(const std::string& uri, const std::string& name, const std::string& title,
              std::string_view type) {
  return {{"uri", uri}, {"name", name}, {"title", title}, {"mimeType", type}};
}

// At most `most` of the open tasks, the first of each state first.
Result<Json> open_tasks(const Session& session, const std::optional<std::string>& board,
                        std::size_t most) {
  Json tasks = Json::array();
  for (const std::string_view status : k_open) {
    if (tasks.size() == most) {
      break;
    }
    verbs::Values values;
    values.add("status", std::string(status));
    values.add("limit", std::to_string(most - tasks.size()));
    TRY_ASSIGN(const verbs::Answer answer,
               session.call(kanban_verb("list"), {std::move(values), board, {}}));
    for (const Json& task : answer.value) {
      tasks.push_back(task_row(task));
    }
  }
  return tasks;
}

Result<Json> board_picture(const Session& session, const std::string& board) {
  TRY_ASSIGN(const verbs::Answer stats, session.call(kanban_verb("stats"), {{}, board, {}}));
  TRY_ASSIGN(Json tasks, open_tasks(session, board, k_most_open));
  std::int64_t open = 0;
  for (const std::string_view status : k_open) {
    open += stats.value["by_status"].value(status, std::int64_t{0});
  }
  const auto count = tasks.size();
  return Json{{"board", board},
              {"by_status", stats.value["by_status"]},
              {"open_tasks", std::move(tasks)},
              {"count", count},
              {"truncated", open > static_cast<std::int64_t>(count)}};
}

Session::Given task_given(const Address& address) {
  Session::Given given;
  given.values.add("task_id", address.task);
  given.board = address.board;
  return given;
}

struct Text {
  std::string text;
  std::string_view type;
};
Result<Text> read(const Session& session, const Address& address) {
  const auto json = [](const Json& value) {
    return Text{value.dump(2, ' ', false, Json::error_handler_t::replace), k_json};
  };
  if (address.task.empty()) {
    TRY_ASSIGN(const Json picture, board_picture(session, address.board));
    return json(picture);
  }
  if (address.context) {
    TRY_ASSIGN(const verbs::Answer answer,
               session.call(kanban_verb("context"), task_given(address)));
    return Text{answer.value["text"].get<std::string>(), k_markdown};
  }
  TRY_ASSIGN(const Json task, answer_call(kanban_verb("show"), session, task_given(address)));
  return json(task);
}

bool is_absent(const Error& error) {
  return error.code == ErrorCode::not_found || error.code == ErrorCode::usage ||
         error.code == ErrorCode::invalid;
}

Result<Json> list_of_worker(const Session& session) {
  Json out = Json::array();
  const std::string& board = session.own_board();
  if (board.empty()) {
    return out;
  }
  const std::string uri = task_uri(board, session.own_task());
  out.push_back(resource(uri, session.own_task(), "your task", k_json));
  out.push_back(resource(uri + "/context", session.own_task() + "-context",
                         "what your task asks for", k_markdown));
  out.push_back(resource(board_uri(board), board, "your board", k_json));
  return out;
}

Result<Json> list_of_orchestrator(const Session& session) {
  Json out = Json::array();
  const verbs::Verb* boards = verbs::find_verb("kanban boards", "list");
  TRY_ASSIGN(const verbs::Answer all, session.call(*boards, {}));
  // When that one is gone the others are listed all the same.
  const auto pinned = session.board_at_hand();
  std::string at_hand = pinned ? pinned->value_or("") : "";
  for (const Json& board : all.value) {
    const std::string slug = board["slug"];
    if (pinned && !*pinned && board.value("is_current", false)) {
      at_hand = slug;
    }
    if (out.size() < k_most_boards) {
      out.push_back(resource(board_uri(slug), slug, "board " + slug, k_json));
    }
  }
  if (!at_hand.empty()) {
    TRY_ASSIGN(const Json tasks, open_tasks(session, at_hand, k_most_listed));
    for (const Json& task : tasks) {
      const std::string id = task["id"];
      out.push_back(resource(task_uri(at_hand, id), id, task["title"], k_json));
    }
  }
  return out;
}

}  // namespace

Json resource_template_list(const Session& session) {
  Json out = Json::array();
  if (session.role() == Role::nobody) {
    return out;
  }
  const auto add = [&](std::string_view rest, std::string_view name, std::string_view about,
                       std::string_view type) {
    out.push_back({{"uriTemplate", fmt::format("{}{{board}}{}", k_scheme, rest)},
                   {"name", name},
                   {"description", about},
                   {"mimeType", type}});
  };
  add("", "board", "the board: how many tasks are in each state, and the open ones", k_json);
  add("/task/{id}", "task", "one task, as kanban_show answers it", k_json);
  add("/task/{id}/context", "context", "the text that a worker of the task is given", k_markdown);
  return out;
}

Outcome list_resources(const Session& session) {
  if (session.role() == Role::nobody) {
    return Json{{"resources", Json::array()}};
  }
  auto list =
      session.role() == Role::worker ? list_of_worker(session) : list_of_orchestrator(session);
  if (!list) {
    return refused(k_internal_error, one_line(list.error()));
  }
  return Json{{"resources", *std::move(list)}};
}

Outcome read_resource(const Session& session, const Json& params, int not_found) {
  const auto uri = params.find("uri");
  if (uri == params.end() || !uri->is_string()) {
    return refused(k_invalid_params, "`uri` must be the address of a resource");
  }
  const Json echo = {{"uri", clip(uri->get_ref<const std::string&>(), k_echo_bytes)}};
  const auto address = parse_address(uri->get<std::string>());
  if (!address || session.role() == Role::nobody) {
    return refused(not_found,
                   fmt::format("there is no resource '{}' here",
                               printable(clip(uri->get<std::string>(), 200))),
                   echo);
  }
  if (const auto allowed = session.may_read(address->board); !allowed) {
    return refused(not_found, one_line(allowed.error()), echo);
  }
  const auto text = read(session, *address);
  if (!text) {
    return refused(is_absent(text.error()) ? not_found : k_internal_error, one_line(text.error()),
                   echo);
  }
  return Json{
      {"contents", Json::array({{{"uri", *uri}, {"mimeType", text->type}, {"text", text->text}}})}};
}

}  // namespace hermes::mcp
