#include "cli/manual/variables.hpp"

namespace hermes::manual {

namespace {

using enum Variable::Of;

constexpr Variable k_variables[] = {
    {"HERMES_HOME", all,
     "the home: where boards, profiles and settings are (default: `~/.hermes`)"},
    {"HERMES_KANBAN_BOARD", all,
     "the board that is meant without `--board`; a worker finds its own"},
    {"HERMES_DISPATCHER", command, "the path of hermes-dispatcher, when it is not where hermes is"},
    {"HERMES_SHIM", all, "the path of hermes-shim, when it is not where it was installed"},
    {"HERMES_PROFILE", all,
     "who asks, for authors and `--mine` (else `USER`); a worker finds its profile's name"},
    {"HERMES_TENANT", all, "the tenant of new tasks; a worker finds its task's"},
    {"HERMES_SESSION_ID", command, "the session that new tasks are noted with"},
    {"HERMES_KANBAN_TASK", worker, "the task's id"},
    {"HERMES_KANBAN_RUN_ID", worker, "the number of the run"},
    {"HERMES_KANBAN_RUN_TOKEN", worker, "the run's secret: what makes this process the run"},
    {"HERMES_KANBAN_WORKSPACE", worker, "the directory to work in"},
    {"HERMES_KANBAN_BRANCH", worker, "the branch, when the task has one"},
    {"HERMES_KANBAN_MODEL", worker, "the model that the task asks for, when it does"},
    {"HERMES_KANBAN_PROVIDER", worker, "the provider that the task asks for, when it does"},
    {"HERMES_KANBAN_GOAL_MODE", worker, "set when the task is in goal mode"},
    {"HERMES_KANBAN_GOAL_MAX_TURNS", worker, "the most turns in goal mode, when there is a limit"},
    {"HERMES_KANBAN_GOAL_JUDGE", worker, "under `hermes kanban goal`: the judge's command line"},
    {"HERMES_KANBAN_GOAL_TURN", worker, "under `hermes kanban goal`: which turn this is"},
    {"HERMES_KANBAN_GOAL_FEEDBACK", worker,
     "under `hermes kanban goal`: what the judge said after the last turn"},
    {"HERMES_KANBAN_GOAL_EXIT", worker, "for the judge: turn, or the verdict that is asked for"},
    {"HERMES_KANBAN_GOAL_REASON", worker, "for the judge: the reason or summary of that verdict"},
    {"NO_COLOR", command, "set and not empty: no colours"},
    {"CLICOLOR_FORCE", command, "set and not 0: colours also into a pipe"},
};

}  // namespace

std::span<const Variable> all_variables() { return k_variables; }

}  // namespace hermes::manual
