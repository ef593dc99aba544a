#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/notice.hpp"
#include "systemd/unit.hpp"
#include "verbs/fleet.hpp"
#include "verbs/handlers.hpp"
#include "verbs/holds.hpp"
#include "verbs/programs.hpp"
#include "verbs/service.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

constexpr Millis k_stop_patience = std::chrono::seconds{30};
constexpr std::int64_t k_tasks_shown = 20;  // per board, of the running and of the waiting ones
constexpr std::size_t k_unit_bytes = 64 * 1024;

// systemd runs the dispatcher that holds the lock.
bool is_serving(const Service& service, const home::DispatcherState& state) {
  return state.alive && service.main_pid && state.pid == service.main_pid;
}

// `start` is systemd's business.
bool is_responsible(const Service& service, const home::Home& home) {
  return service.manager && service.loaded && is_same_home(service.home, home.dir.string());
}

Json managed_by(const Service& service, const home::DispatcherState& state) {
  return !state.alive ? Json(nullptr) : is_serving(service, state) ? "systemd" : "nobody";
}

Json state_json(const home::Home& home, const Service& service,
                const home::DispatcherState& state) {
  return {{"home", home.dir.string()},
          {"running", state.alive},
          {"pid", state.pid ? Json(*state.pid) : Json(nullptr)},
          {"since", state.alive ? seconds_or_null(state.since) : Json(nullptr)},
          {"managed_by", managed_by(service, state)}};
}

fs::path background_log(const home::Home& home) { return home.dir / "dispatcher.log"; }

std::int64_t live_workers(const home::Home& home, Instant now) {
  std::int64_t running = 0;
  for (const BoardLook& look : look_at_boards(home, now)) {
    for (const auto& [profile, n] : look.running) {
      running += n;
    }
  }
  return running;
}

Result<home::Home> home_with_a_board(const Call& call) {
  TRY_ASSIGN(home::Home home, find_home(call));
  if (home::list_boards(home).empty()) {
    return fail(ErrorCode::not_found, fmt::format("there is no board in {}", home.dir.string()),
                "`hermes init` makes the home and its first board");
  }
  return home;
}

// ── install ──

fs::path unit_file(const Call& call) {
  const std::string config = call.environment.variable("XDG_CONFIG_HOME");
  const fs::path base = fs::path(config).is_absolute()
                            ? fs::path(config)
                            : fs::path(call.environment.variable("HOME")) / ".config";
  return base / "systemd" / "user" / systemd::k_unit_name;
}

struct Written {
  fs::path file;
  bool ours = false;  // we write it; a package's is left as it is
  bool changed = false;
  std::optional<fs::path> kept;  // where somebody's own unit of that name was put
};

// A unit that somebody has written by hand is kept under a name that is free.
Result<fs::path> keep_aside(const fs::path& file, const std::string& text) {
  for (int n = 1; n < 100; ++n) {
    fs::path kept = file.string() + (n == 1 ? ".old" : fmt::format(".old.{}", n));
    TRY_ASSIGN(const bool made, create_file(kept, text, 0644));
    if (made) {
      return kept;
    }
  }
  return fail(ErrorCode::conflict, fmt::format("there are too many {}.old", file.string()),
              "remove those that nobody needs");
}

// A dispatcher that systemd runs just now, and that does not hold this home: another home's.
bool runs_for_another(Call& call, const Service& service, const home::Home& home) {
  return service.active && service.main_pid &&
         !is_serving(service, call.host.dispatcher_state(home));
}

Error foreign_process(const Service& service) {
  return {ErrorCode::conflict,
          fmt::format("the service (PID {}) serves another home just now", *service.main_pid),
          "stop it there first: `hermes dispatcher stop` with that HERMES_HOME"};
}

// Nothing of another home's service is touched unless it is asked for.
Result<void> refuse_foreign(Call& call, const Service& service, const home::Home& home,
                            bool force) {
  if (!service.loaded || force) {
    return {};
  }
  if (is_same_home(service.home, home.dir.string())) {
    return runs_for_another(call, service, home)
               ? Result<void>(std::unexpected(foreign_process(service)))
               : Result<void>{};
  }
  return fail(ErrorCode::conflict,
              fmt::format("the service serves another home: {} (asked for: {}); a user has one "
                          "dispatcher service",
                          service.home, home.dir.string()),
              fmt::format("set HERMES_HOME={}, start this home in the background, or pass --force",
                          service.home));
}

// Workers are to find what the user finds, and `hermes` itself: a user manager's own PATH is the
// system's.
std::string path_of_workers(const Call& call, const fs::path& program) {
  std::string path = call.environment.variable("PATH");
  const std::string own = program.parent_path().string();
  const std::vector<std::string> dirs = split_list(path, ':');
  if (std::ranges::find(dirs, own) == dirs.end()) {
    path += (path.empty() ? "" : ":") + own;
  }
  return path;
}

Result<Written> write_unit(const Call& call, const home::Home& home) {
  const std::string program = call.host.find_program("hermes-dispatcher");
  TRY_ASSIGN(const std::string text,
             systemd::unit_text(
                 {program,
                  {{"HERMES_HOME", home.dir.string()}, {"PATH", path_of_workers(call, program)}}}));
  Written written{unit_file(call), true, false, std::nullopt};
  std::error_code ignored;
  if (fs::is_symlink(written.file, ignored)) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is a link to {}", written.file.string(),
                            fs::read_symlink(written.file, ignored).string()),
                "remove it first (a masked unit: systemctl --user unmask), then install again");
  }
  const auto before = read_file(written.file, k_unit_bytes);
  if (before && *before == text) {
    return written;
  }
  TRY(make_directory(written.file.parent_path(), 0755));
  if (before && first_line(*before) != first_line(text)) {
    TRY_ASSIGN(written.kept, keep_aside(written.file, *before));
  }
  TRY(write_file_atomically(written.file, text, 0644));
  written.changed = true;
  return written;
}

// A package has installed the unit, and it serves this home.
bool comes_with_a_package(const Call& call, const Service& service, const home::Home& home) {
  return is_responsible(service, home) && !service.fragment.empty() &&
         service.fragment != unit_file(call).string();
}

void tell_of_lingering(std::optional<bool> lingering, Answer& answer) {
  if (lingering == true) {
    return;
  }
  answer.advice.push_back(
      std::string(lingering ? "note: lingering is off: " : "note: unless lingering is on, ") +
      "the dispatcher and its workers end when you log out, and start when you log in; "
      "`loginctl enable-linger` lets them run from boot on");
}

// What would keep the dispatcher from starting is said before anything is changed.
Result<void> check_start(Call& call, const home::Home& home) {
  TRY(home::load_config(home));
  for (const std::string_view name : {"hermes-dispatcher", "hermes-shim"}) {
    if (call.host.find_program(name).empty()) {
      return std::unexpected(missing_program(name, call.environment));
    }
  }
  return {};
}

}  // namespace

Result<Answer> dispatcher_install(Call& call) {
  TRY_ASSIGN(const home::Home home, home_with_a_board(call));
  TRY(check_start(call, home));
  const Service before = look_at_service(call);
  TRY(refuse_foreign(call, before, home, call.values.flag("force")));
  Written written;
  if (comes_with_a_package(call, before, home)) {
    written.file = before.fragment;
  } else {
    TRY_ASSIGN(written, write_unit(call, home));
  }
  Answer answer;
  const std::optional<bool> lingering = before.manager ? is_lingering(call) : std::nullopt;
  if (before.manager) {
    TRY(control_service(call, "daemon-reload"));
    TRY(control_service(call, "enable"));
    tell_of_lingering(lingering, answer);
  } else {
    answer.exit_status = 1;
    answer.failures.push_back(
        {ErrorCode::unavailable,
         fmt::format(
             "the unit is written, and not enabled: no systemd user manager answers here ({})",
             before.problem),
         fmt::format("in a session that has one: systemctl --user enable --now {}",
                     systemd::k_unit_name)});
  }
  if (written.kept) {
    answer.advice.push_back(
        fmt::format("note: what stood there before is kept as {}", written.kept->string()));
  }
  const home::DispatcherState state = call.host.dispatcher_state(home);
  const bool serves = is_serving(before, state);
  if (state.alive && !serves) {
    answer.advice.push_back(
        "note: a dispatcher runs outside of systemd; `hermes dispatcher restart` hands over to the "
        "service, workers go on");
  } else if (before.active && written.changed) {
    answer.advice.push_back(
        "note: the service still runs as it was installed before; `hermes dispatcher restart` "
        "takes the new unit, workers go on");
  }
  answer.value = {{"unit", written.file.string()},
                  {"ours", written.ours},
                  {"changed", written.changed},
                  {"enabled", before.manager},
                  {"running", serves},
                  {"lingering", lingering ? Json(*lingering) : Json(nullptr)},
                  {"home", home.dir.string()}};
  return answer;
}

Result<Answer> dispatcher_uninstall(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const Service service = look_at_service(call);
  TRY(refuse_foreign(call, service, home, call.values.flag("force")));
  if (service.manager && service.loaded) {
    if (service.up) {
      TRY(control_service(call, "stop"));
    }
    TRY(control_service(call, "disable"));
  }
  const fs::path file = unit_file(call);
  std::error_code problem;
  const bool removed = fs::remove(file, problem);
  if (problem) {
    return std::unexpected(system_error("remove", file, problem.value()));
  }
  if (service.manager) {
    TRY(control_service(call, "daemon-reload"));
  }
  Answer answer;
  answer.value = {{"unit", file.string()}, {"removed", removed}, {"stopped", service.up}};
  if (fs::exists(file.string() + ".old", problem)) {
    answer.advice.push_back(
        fmt::format("note: {}.old is the unit that stood there before the "
                    "first install",
                    file.string()));
  }
  return answer;
}

// ── start, stop ──

namespace {

// The service has to serve this very home in the end: its unit may have been changed since it was
// started.
Result<void> start_service(Call& call, const home::Home& home, const Service& service, bool anew) {
  if (runs_for_another(call, service, home)) {
    return std::unexpected(foreign_process(service));
  }
  (void)control_service(call, "reset-failed");  // a person asks: earlier failures do not count
  TRY(control_service(call, anew || service.active ? "restart" : "start"));
  if (is_serving(look_at_service(call), call.host.dispatcher_state(home))) {
    return {};
  }
  return fail(ErrorCode::unavailable,
              fmt::format("systemd has started {}, and it does not serve {}", systemd::k_unit_name,
                          home.dir.string()),
              "look at `systemctl --user cat hermes-dispatcher` and `hermes dispatcher status`");
}

Result<void> start(Call& call, const home::Home& home, const Service& service, bool anew,
                   Answer& answer) {
  if (is_responsible(service, home)) {
    return start_service(call, home, service, anew);
  }
  TRY(call.host.start_dispatcher(home, background_log(home)));
  answer.people_advice.push_back(fmt::format(
      "note: it runs outside of systemd and writes to {}{}", background_log(home).string(),
      service.manager ? "; `hermes dispatcher install` makes it a service" : ""));
  return {};
}

Answer state_answer(Call& call, const home::Home& home) {
  Answer answer;
  answer.value = state_json(home, look_at_service(call), call.host.dispatcher_state(home));
  return answer;
}

}  // namespace

Result<Answer> dispatcher_start(Call& call) {
  TRY_ASSIGN(const home::Home home, home_with_a_board(call));
  const home::DispatcherState before = call.host.dispatcher_state(home);
  Answer told;
  if (!before.alive) {
    TRY(check_start(call, home));
    const Service service = look_at_service(call);
    TRY(start(call, home, service, false, told));
  }
  Answer answer = state_answer(call, home);
  answer.value["already"] = before.alive;
  answer.people_advice = std::move(told.people_advice);
  return answer;
}

Result<Answer> dispatcher_stop(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const home::DispatcherState before = call.host.dispatcher_state(home);
  const Service service = look_at_service(call);
  // Also a service that is about to be started again.
  const bool by_systemd =
      is_serving(service, before) || (is_responsible(service, home) && service.up &&
                                      !before.alive && !runs_for_another(call, service, home));
  if (by_systemd) {
    TRY(control_service(call, "stop"));
  } else if (before.alive) {
    TRY(call.host.stop_dispatcher(home, k_stop_patience));
  }
  Answer answer = state_answer(call, home);
  answer.value["already"] = !before.alive && !by_systemd;
  answer.value["live_workers"] = live_workers(home, call.environment.now);
  return answer;
}

Result<Answer> dispatcher_restart(Call& call) {
  TRY_ASSIGN(const home::Home home, home_with_a_board(call));
  TRY(check_start(call, home));  // or a mistake in the settings would turn a restart into a stop
  const Service service = look_at_service(call);
  Answer told;
  const home::DispatcherState before = call.host.dispatcher_state(home);
  if (is_serving(service, before) && !is_responsible(service, home)) {
    return fail(ErrorCode::conflict,
                fmt::format("the service that serves this home would serve {} after a restart",
                            service.home),
                "`hermes dispatcher install --force` gives it back to this home; or stop it, and "
                "start one in the background");
  }
  if (before.alive && !is_serving(service, before)) {
    TRY(call.host.stop_dispatcher(home, k_stop_patience));
  }
  TRY(start(call, home, service, true, told));
  Answer answer = state_answer(call, home);
  answer.value["already"] = false;
  answer.people_advice = std::move(told.people_advice);
  return answer;
}

// ── status ──

namespace {

Json running_json(const Task& task, const std::optional<Run>& run) {
  return {{"task_id", task.id},
          {"title", task.title},
          {"profile", run ? run->profile : task.assignee},
          {"run_id", run ? Json(run->id) : Json(nullptr)},
          {"attempt", run ? Json(run->attempt) : Json(nullptr)},
          {"pid", run && run->worker_pid ? Json(*run->worker_pid) : Json(nullptr)},
          {"by_hand", run && run->holder_kind == HolderKind::external},
          {"started_at", run ? Json(run->started_at.seconds()) : Json(nullptr)}};
}

Result<Json> running_tasks(OpenBoard& open) {
  return open.database.read([](db::Reader& tx) -> Result<Json> {
    Json out = Json::array();
    board::ListFilter filter;
    filter.status = Status::running;
    filter.limit = k_tasks_shown;
    TRY_ASSIGN(const std::vector<Task> tasks, board::list_tasks(tx, filter));
    for (const Task& task : tasks) {
      out.push_back(running_json(task, board::find_run(tx, task.current_run_id.value_or(0))));
    }
    return out;
  });
}

// The first in the order of starts, and what holds each of them.
Result<Json> waiting_tasks(OpenBoard& open, Call& call, const FleetView& fleet) {
  Json out = Json::array();
  for (const Status status : {Status::ready, Status::review}) {
    TRY_ASSIGN(const std::vector<Task> tasks, open.database.read([&](db::Reader& tx) {
      board::ListFilter filter;
      filter.status = status;
      filter.limit = k_tasks_shown;
      return board::list_tasks(tx, filter);
    }));
    for (const Task& task : tasks) {
      auto seen = task_holds(open, call, task.id);
      if (!seen && seen.error().code == ErrorCode::not_found) {
        continue;  // it has gone meanwhile
      }
      TRY(seen);
      add_dispatcher_holds(open, call, fleet, *seen);
      out.push_back({{"task_id", task.id},
                     {"title", task.title},
                     {"status", to_word(status)},
                     {"profile", or_null(seen->profile)},
                     {"holds", holds_json(seen->holds)}});
    }
  }
  return out;
}

Json board_status(Call& call, const home::Home& home, const std::string& slug) {
  const BoardLook look = look_at(home.board(slug), call.environment.now);
  Json out{{"slug", slug}, {"error", nullptr}, {"counts", counts_json(look.by_status)}};
  out["last_end"] = nullptr;
  if (look.dispatcher_end) {
    out["last_end"] = {{"reason", look.dispatcher_end->reason},
                       {"at", look.dispatcher_end->at.seconds()}};
  }
  out["trouble"] = or_null(home::read_notice(home, home::board_topic(slug)));
  out["running"] = Json::array();
  out["waiting"] = Json::array();
  const auto fill = [&]() -> Result<void> {
    TRY_ASSIGN(OpenBoard open, open_named(call, slug));
    TRY_ASSIGN(out["running"], running_tasks(open));
    TRY_ASSIGN(out["waiting"], waiting_tasks(open, call, look_at_fleet(open, call)));
    return {};
  };
  if (look.error) {
    out["error"] = look.error->message;
  } else if (const auto filled = fill(); !filled) {
    out["error"] = filled.error().message;
  }
  return out;
}

}  // namespace

Result<Answer> dispatcher_status(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const Service service = look_at_service(call);
  const home::DispatcherState state = call.host.dispatcher_state(home);
  Answer answer;
  answer.value = state_json(home, service, state);
  answer.value["service"] = {{"manager", service.manager},
                             {"installed", service.loaded},
                             {"enabled", service.enabled},
                             {"state", service.loaded ? Json(service.state) : Json(nullptr)},
                             {"unit", or_null(service.fragment)},
                             {"text", or_null(service.text)},
                             {"home", service.loaded ? Json(service.home) : Json(nullptr)},
                             {"lingering", nullptr}};
  if (service.manager) {
    if (const auto lingering = is_lingering(call)) {
      answer.value["service"]["lingering"] = *lingering;
    }
  }
  answer.value["log"] = nullptr;
  std::error_code ignored;
  if (state.pid && fs::read_symlink(fmt::format("/proc/{}/fd/2", *state.pid), ignored) ==
                       fs::weakly_canonical(background_log(home), ignored)) {
    answer.value["log"] = background_log(home).string();
  }
  const auto config = home::load_config(home);
  answer.value["settings_error"] = config ? Json(nullptr) : Json(config.error().message);
  const auto held = state.alive ? home::read_notice(home, home::k_starts_topic) : std::nullopt;
  answer.value["starts_held"] =
      held ? Json(std::string(
                 trim(std::string_view(*held).substr(std::min(held->find(' '), held->size())))))
           : Json(nullptr);
  answer.value["boards"] = Json::array();
  for (const std::string& slug : home::list_boards(home)) {
    answer.value["boards"].push_back(board_status(call, home, slug));
  }
  answer.exit_status = state.alive ? 0 : 1;
  return answer;
}

}  // namespace hermes::verbs
