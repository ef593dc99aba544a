#pragma once

#include <array>
#include <limits>

#include "kernel/board/tasks.hpp"
#include "kernel/model/limits.hpp"
#include "kernel/model/words.hpp"
#include "kernel/rules/diagnostics.hpp"
#include "verbs/verb.hpp"

// The argument schemas of the table, one array per verb.
namespace hermes::verbs::arguments {

inline constexpr std::array<std::string_view, 2> k_initial_statuses{"running", "blocked"};
inline constexpr std::array<std::string_view, 2> k_state_types{"status", "outcome"};
inline constexpr std::int64_t k_second = 1000;

inline constexpr Argument k_task{.name = "task_id",
                                 .type = Type::task_id,
                                 .value = "ID",
                                 .help = "a task id or a unique beginning of one",
                                 .positional = true,
                                 .required = true,
                                 .tool = {.name = "task_id", .own_task = true}};
inline constexpr Argument k_tasks{
    .name = "task_ids",
    .type = Type::task_id,
    .value = "ID",
    .help = "task ids or unique beginnings of them",
    .positional = true,
    .required = true,
    .repeatable = true,
    .tool = {
        .name = "task_id", .own_task = true, .help = "a task id or a unique beginning of one"}};
inline constexpr Argument k_more_ids{.name = "ids",
                                     .type = Type::task_id,
                                     .value = "ID...",
                                     .help = "further tasks; each is done by itself",
                                     .repeatable = true,
                                     .greedy = true};
inline constexpr Argument k_reason_words{.name = "reason",
                                         .value = "REASON",
                                         .help = "why, for the record",
                                         .positional = true,
                                         .repeatable = true,
                                         .tool = {.name = "reason", .required = true}};
inline constexpr Argument k_reason{
    .name = "reason", .value = "TEXT", .help = "why, for the record", .tool = {.name = "reason"}};
inline constexpr Argument k_assignee_filter{
    .name = "assignee",
    .type = Type::assignee,
    .value = "NAME",
    .help = "only tasks of this assignee ('none': of nobody)",
    .tool = {.name = "assignee"}};
inline constexpr Argument k_tenant_filter{.name = "tenant",
                                          .value = "NAME",
                                          .help = "only tasks of this tenant",
                                          .tool = {.name = "tenant"}};
inline constexpr Argument k_state_type{.name = "state-type",
                                       .type = Type::word,
                                       .value = "status|outcome",
                                       .help = "with --state-name: which runs are listed",
                                       .words = k_state_types};
inline constexpr Argument k_state_name{
    .name = "state-name",
    .value = "WORD",
    .help = "with --state-type: the status (running, done, …) or the outcome"};
inline constexpr Argument k_max{
    .name = "max",
    .type = Type::integer,
    .value = "N",
    .help = "most workers at a time, those that run already included; 1 to 10000",
    .least = 1,
    .most = k_most_workers};
inline constexpr Argument k_failure_limit{
    .name = "failure-limit",
    .type = Type::integer,
    .value = "N",
    .help = "counted failures in a row that block a task; 1 to 1000",
    .least = 1,
    .most = k_most_failures};

inline constexpr std::array<std::string_view, 3> k_shells{"bash", "zsh", "fish"};
inline constexpr auto k_completion = std::to_array<Argument>({
    {.name = "shell",
     .type = Type::word,
     .value = "bash|zsh|fish",
     .help = "the shell",
     .positional = true,
     .required = true,
     .words = k_shells},
});
inline constexpr auto k_help = std::to_array<Argument>({
    {.name = "words",
     .value = "WORD",
     .help = "the words of a verb or a group (default: the whole program)",
     .positional = true,
     .repeatable = true},
});
inline constexpr auto k_mcp = std::to_array<Argument>({
    {.name = "orchestrator",
     .type = Type::boolean,
     .help = "offer the tools also outside a worker, and those that plan the work of others"},
});
inline constexpr auto k_selftest = std::to_array<Argument>({
    {.name = "seeds",
     .type = Type::integer,
     .value = "N",
     .help = "how many histories, 1 to 100,000,000 (default 1000, some seconds)",
     .least = 1,
     .most = 100'000'000},
    {.name = "first",
     .type = Type::integer,
     .value = "N",
     .help = "the seed of the first, 0 or more (default 1)",
     .least = 0,
     .most = std::numeric_limits<std::int64_t>::max() - 100'000'000},
    {.name = "seed",
     .type = Type::integer,
     .value = "N",
     .help = "play this one history and print it",
     .least = 0},
});
inline constexpr auto k_complete_line = std::to_array<Argument>({
    {.name = "words",
     .value = "WORD",
     .help = "the words after hermes, the one under the cursor last; after '--'",
     .positional = true,
     .repeatable = true},
});
inline constexpr Argument k_at{
    .name = "at",
    .type = Type::time,
    .value = "TIME",
    .help =
        "when it wakes: 2026-11-20T18:40:00+01:00 (RFC 3339), 2026-11-20 18:40 (local) or "
        "seconds since 1970",
    .alias = "scheduled-at",
    .tool = {.name = "at"}};
inline constexpr Argument k_in{.name = "in",
                               .type = Type::duration,
                               .value = "DURATION",
                               .help = "it wakes after this time: 90, 30s, 1.5h, 2d",
                               .tool = {.name = "in"}};
inline constexpr Argument k_body{.name = "body",
                                 .value = "TEXT",
                                 .help = "the whole request, at most 1 MiB",
                                 .tool = {.name = "body"}};
inline constexpr Argument k_body_file{
    .name = "body-file",
    .type = Type::path,
    .value = "PATH",
    .help = "the body from a file, '-' for standard input; at most 1 MiB"};
inline constexpr Argument k_provider{.name = "provider",
                                     .value = "NAME",
                                     .help = "the provider that its worker is asked to use",
                                     .tool = {.name = "provider"}};
inline constexpr Argument k_priority{.name = "priority",
                                     .type = Type::integer,
                                     .value = "N",
                                     .help = "larger is sooner; ±1000000000",
                                     .least = -k_most_priority,
                                     .most = k_most_priority};

inline constexpr auto k_create = std::to_array<Argument>({
    {.name = "title",
     .value = "TITLE",
     .help = "what is to be done, on one line",
     .positional = true,
     .required = true,
     .tool = {.name = "title"}},
    k_body,
    k_body_file,
    {.name = "assignee",
     .type = Type::assignee,
     .value = "NAME",
     .help = "the profile that works on it; stored in lower case",
     .tool = {.name = "assignee"}},
    {.name = "parent",
     .type = Type::task_id,
     .value = "ID",
     .help = "a task it waits for; may be given again",
     .repeatable = true,
     .tool = {.name = "parents", .help = "ids of the tasks it waits for"}},
    {.name = "link-condition",
     .type = Type::word,
     .value = "done|ended",
     .help = "what of the parents it waits for: done, or ended (done, archived or given up)",
     .fallback = "done",
     .words = k_words<LinkCondition>,
     .tool = {.name = "link_condition"}},
    {.name = "tenant",
     .value = "NAME",
     .help = "a name space of tasks (default: HERMES_TENANT)",
     .tool = {.name = "tenant"}},
    {.name = "priority",
     .type = Type::integer,
     .value = "N",
     .help = "larger is sooner; ±1000000000",
     .least = -k_most_priority,
     .most = k_most_priority,
     .fallback = "0",
     .tool = {.name = "priority"}},
    {.name = "triage",
     .type = Type::boolean,
     .help = "park it in triage for a person to look at",
     .tool = {.name = "triage"}},
    {.name = "idempotency-key",
     .value = "KEY",
     .help = "a live task with this key is answered instead of a new one",
     .tool = {.name = "idempotency_key"}},
    {.name = "max-runtime",
     .type = Type::duration,
     .value = "DURATION",
     .help = "the longest a run may take, at least 1s: 90, 30s, 1.5h, 2d",
     .least = k_second,
     .tool = {.name = "max_runtime"}},
    {.name = "max-retries",
     .type = Type::integer,
     .value = "N",
     .help = "which failure in a row blocks it; at least 1 (1: the first one)",
     .least = 1,
     .most = 1'000'000,
     .tool = {.name = "max_retries"}},
    {.name = "created-by",
     .value = "NAME",
     .help = "who asks (default: HERMES_PROFILE, else USER, else user)"},
    {.name = "workspace",
     .value = "FORM",
     .help = "scratch, worktree, worktree:PATH, dir or dir:PATH; without PATH the board's "
             "default_workdir",
     .fallback = "scratch",
     .tool = {.name = "workspace"}},
    {.name = "branch",
     .value = "NAME",
     .help = "the branch of a worktree workspace",
     .tool = {.name = "branch"}},
    {.name = "skill",
     .value = "NAME",
     .help = "a skill its worker is to use; may be given again",
     .repeatable = true,
     .tool = {.name = "skills", .help = "skills its worker is to use"}},
    {.name = "initial-status",
     .type = Type::word,
     .value = "running|blocked",
     .help = "running: the ordinary way; blocked: it waits for unblock",
     .fallback = "running",
     .words = k_initial_statuses,
     .tool = {.name = "initial_status"}},
    {.name = "session",
     .value = "ID",
     .help = "the session it was asked for in (default: HERMES_SESSION_ID)"},
    k_at,
    k_in,
    {.name = "model",
     .value = "NAME",
     .help = "the model that its worker is asked to use",
     .tool = {.name = "model"}},
    k_provider,
    {.name = "goal",
     .type = Type::boolean,
     .help = "its worker is to go on until a goal is met",
     .tool = {.name = "goal_mode"}},
    {.name = "goal-max-turns",
     .type = Type::integer,
     .value = "N",
     .help = "with --goal: at most so many turns; at least 1 (default: 20)",
     .least = 1,
     .most = 1'000'000,
     .tool = {.name = "goal_max_turns",
              .help = "with goal_mode: at most so many turns (default: 20)"}},
    {.name = "workflow-template-id",
     .value = "ID",
     .help = "the workflow it belongs to",
     .alias = "workflow",
     .tool = {.name = "workflow_template_id"}},
    {.name = "step-key",
     .value = "KEY",
     .help = "its step of the workflow",
     .tool = {.name = "step_key"}},
    {.name = "project",
     .value = "NAME",
     .help = "refused: there is no registry of projects; use --workspace and --tenant"},
});

inline constexpr auto k_plan = std::to_array<Argument>({
    {.name = "task_id",
     .type = Type::task_id,
     .value = "ID",
     .help = "a task in triage, or a unique beginning of its id",
     .positional = true},
    {.name = "all", .type = Type::boolean, .help = "every task that was created in triage"},
    {.name = "tenant", .value = "NAME", .help = "with --all: only tasks of this tenant"},
    {.name = "author",
     .value = "NAME",
     .help = "who signs the comment and creates the parts (default: HERMES_PROFILE, else USER)"},
    {.name = "if-due",
     .type = Type::boolean,
     .help = "refuse what automation may not ask now: a person's, being asked, resting, given up"},
});
inline constexpr auto k_swarm = std::to_array<Argument>({
    {.name = "goal",
     .value = "GOAL",
     .help = "what all of them work for, at most 64 KiB",
     .positional = true,
     .required = true},
    {.name = "worker",
     .value = "PROFILE:TITLE",
     .help = "one part of the work; may be given again. A last field of small words separated by "
             "commas (PROFILE:TITLE:SKILL,SKILL) is its skills; end with ':' for none",
     .required = true,
     .repeatable = true},
    {.name = "worker-skill",
     .value = "NAME",
     .help = "a skill for every worker; may be given again",
     .repeatable = true},
    {.name = "verifier",
     .value = "PROFILE",
     .help = "who verifies the work of all of them",
     .required = true},
    {.name = "synthesizer",
     .value = "PROFILE",
     .help = "who makes one result of it",
     .required = true},
    {.name = "tenant", .value = "NAME", .help = "a name space of tasks (default: HERMES_TENANT)"},
    k_priority,
    {.name = "created-by",
     .value = "NAME",
     .help = "who asks (default: HERMES_PROFILE, else USER, else user)"},
    {.name = "idempotency-key",
     .value = "KEY",
     .help = "a live swarm with this key is answered instead of a new one"},
});

inline constexpr auto k_list = std::to_array<Argument>({
    {.name = "mine", .type = Type::boolean, .help = "only tasks assigned to whoever asks"},
    k_assignee_filter,
    {.name = "status",
     .type = Type::word,
     .value = "STATUS",
     .help = "only tasks in this status",
     .words = k_words<Status>,
     .tool = {.name = "status"}},
    k_tenant_filter,
    {.name = "session", .value = "ID", .help = "only tasks of this session"},
    {.name = "archived",
     .type = Type::boolean,
     .help = "archived tasks too",
     .tool = {.name = "include_archived"}},
    {.name = "sort",
     .type = Type::word,
     .value = "ORDER",
     .help = "priority, priority-asc, created, created-desc, status, assignee, title or updated",
     .fallback = "priority",
     .words = k_words<board::Sort>,
     .tool = {.name = "sort"}},
    {.name = "workflow-template-id",
     .value = "ID",
     .help = "only tasks of this workflow",
     .alias = "workflow"},
    {.name = "step-key", .value = "KEY", .help = "only tasks of this workflow step"},
    {.name = "limit",
     .type = Type::integer,
     .value = "N",
     .help = "at most this many; at least 1",
     .least = 1,
     .most = 10'000'000,
     .tool = {.name = "limit",
              .most = 200,
              .fallback = "50",
              .help = "at most this many tasks; 1 to 200 (default 50)"}},
    {.name = "watch",
     .type = Type::boolean,
     .help = "draw the list anew with every change, until Ctrl-C; on a terminal only"},
});

inline constexpr auto k_import = std::to_array<Argument>({
    {.name = "path",
     .type = Type::path,
     .value = "PATH",
     .help = "a kanban.db, or JSON Lines with one object per task",
     .positional = true,
     .required = true},
    {.name = "dry-run",
     .type = Type::boolean,
     .help = "only say what would come over and what would not"},
});

inline constexpr auto k_one_task = std::to_array<Argument>({k_task});
inline constexpr auto k_task_and_states =
    std::to_array<Argument>({k_task, k_state_type, k_state_name});

inline constexpr auto k_diagnostics = std::to_array<Argument>({
    {.name = "severity",
     .type = Type::word,
     .value = "LEVEL",
     .help = "only these and worse ones: warning, error or critical",
     .fallback = "warning",
     .words = k_words<rules::Severity>},
    {.name = "task",
     .type = Type::task_id,
     .value = "ID",
     .help = "only this task, also when nothing is wrong with it"},
});

inline constexpr auto k_inspect = std::to_array<Argument>({
    {.name = "target",
     .value = "ID|RUN",
     .help = "a task id, a unique beginning of one, or the number of a run",
     .positional = true,
     .required = true},
    {.name = "argv",
     .type = Type::boolean,
     .help = "also the arguments of the worker, which may hold secrets"},
});

inline constexpr Argument k_told_task{.name = "task_id",
                                      .type = Type::task_id,
                                      .value = "ID",
                                      .help = "a task id or a unique beginning of one",
                                      .positional = true};
inline constexpr Argument k_board_wide{.name = "board-wide",
                                       .type = Type::boolean,
                                       .help = "all tasks of the board, and the board itself"};
inline constexpr Argument k_platform{.name = "platform",
                                     .value = "NAME",
                                     .help = "the channel that delivers, for example telegram",
                                     .required = true};
inline constexpr Argument k_chat{
    .name = "chat-id", .value = "ID", .help = "the chat on that platform", .required = true};
inline constexpr Argument k_thread{
    .name = "thread-id", .value = "ID", .help = "a thread of that chat"};
inline constexpr auto k_notify_subscribe = std::to_array<Argument>({
    k_told_task,
    k_board_wide,
    k_platform,
    k_chat,
    k_thread,
    {.name = "user-id", .value = "ID", .help = "who asked for it"},
    {.name = "notifier-profile",
     .value = "NAME",
     .help = "the profile whose service delivers (default: whoever asks)"},
    {.name = "kinds",
     .value = "A,B",
     .help = "which events, separated by commas (default: completed, blocked, "
             "block_loop_detected, gave_up, failed, crashed, timed_out, profile_paused and "
             "profile_resumed)"},
});
inline constexpr auto k_notify_list = std::to_array<Argument>({k_told_task});
inline constexpr auto k_notify_unsubscribe =
    std::to_array<Argument>({k_told_task, k_board_wide, k_platform, k_chat, k_thread});

inline constexpr auto k_claim = std::to_array<Argument>({
    k_task,
    {.name = "ttl",
     .type = Type::duration,
     .value = "DURATION",
     .help = "how long the claim lives without a heartbeat, at least 1s (default: claim_ttl, 900s)",
     .least = k_second},
    {.name = "as", .value = "NAME", .help = "who works on it (default: whoever asks)"},
});

inline constexpr auto k_heartbeat = std::to_array<Argument>({
    k_task,
    {.name = "note",
     .value = "TEXT",
     .help = "how it goes, for people to see",
     .tool = {.name = "note"}},
});

inline constexpr auto k_complete = std::to_array<Argument>({
    k_tasks,
    {.name = "result",
     .value = "TEXT",
     .help = "the result that the task keeps",
     .tool = {.name = "result"}},
    {.name = "summary",
     .value = "TEXT",
     .help = "what was done, for people and for the tasks that wait (one task)",
     .tool = {.name = "summary", .help = "what was done, for people and for the tasks that wait"}},
    {.name = "metadata",
     .type = Type::json_object,
     .value = "JSON",
     .help = "facts for programs, a JSON object (one task)",
     .tool = {.name = "metadata", .help = "facts for programs and for the tasks that wait"}},
    {.name = "artifact",
     .type = Type::path,
     .value = "PATH",
     .help = "a file that was made; may be given again. One in the scratch workspace becomes an "
             "attachment, of any other the path is recorded (one task)",
     .repeatable = true,
     .tool = {.name = "artifacts",
              .help = "paths of files that were made. One in the scratch workspace becomes an "
                      "attachment, of any other the path is recorded"}},
    {.name = "created",
     .type = Type::task_id,
     .value = "ID",
     .help = "a task that was made on the way; may be given again. One that its worker has not "
             "made is refused, and nothing is changed (one task)",
     .repeatable = true,
     .tool = {.name = "created_cards",
              .help = "ids of tasks that you have made, as kanban_create has answered them. One "
                      "that you have not made is refused, and nothing is changed"}},
    {.name = "force",
     .type = Type::boolean,
     .help = "also when its worker still runs: the worker is stopped"},
});

inline constexpr auto k_block = std::to_array<Argument>({
    k_task,
    k_reason_words,
    {.name = "kind",
     .type = Type::word,
     .value = "KIND",
     .help = "needs_input, capability, transient or dependency (waits for an open link)",
     .words = k_words<BlockKind>,
     .tool = {.name = "kind"}},
    k_more_ids,
});

inline constexpr auto k_unblock = std::to_array<Argument>({
    k_tasks,
    k_reason,
    {.name = "reset",
     .type = Type::boolean,
     .help = "also forget how often its workers blocked",
     .tool = {.name = "reset"}},
});

inline constexpr auto k_schedule =
    std::to_array<Argument>({k_task, k_reason_words, k_at, k_in, k_more_ids});
inline constexpr auto k_review = std::to_array<Argument>({k_task, k_reason_words, k_more_ids});

inline constexpr auto k_edit = std::to_array<Argument>({
    k_task,
    {.name = "title", .value = "TITLE", .help = "what is to be done, on one line"},
    k_body,
    k_body_file,
    k_priority,
    {.name = "result", .value = "TEXT", .help = "of a done task: the result that it keeps"},
    {.name = "summary",
     .value = "TEXT",
     .help = "of a done task: what its last completed run says was done"},
    {.name = "metadata",
     .type = Type::json_object,
     .value = "JSON",
     .help = "of a done task: the facts of that run, a JSON object"},
});
inline constexpr auto k_set_model = std::to_array<Argument>({
    k_task,
    {.name = "model",
     .value = "MODEL",
     .help = "the model that its workers are asked to use; none: cleared",
     .positional = true},
    k_provider,
});

inline constexpr auto k_promote = std::to_array<Argument>({
    k_task,
    k_reason_words,
    k_more_ids,
    {.name = "dry-run", .type = Type::boolean, .help = "only say what would happen"},
});

inline constexpr auto k_reclaim = std::to_array<Argument>({k_task, k_reason});

// Not `required`: what is missing is not a slip of the command line but something that cannot be
// done (exit 1).
inline constexpr auto k_archive = std::to_array<Argument>({
    {.name = "task_ids",
     .type = Type::task_id,
     .value = "ID",
     .help = "task ids or unique beginnings of them",
     .positional = true,
     .repeatable = true},
    {.name = "force", .type = Type::boolean, .help = "also when it runs: the worker is stopped"},
    {.name = "rm",
     .type = Type::task_id,
     .value = "ID...",
     .help = "delete these archived tasks for good, with their comments, runs and files",
     .repeatable = true,
     .greedy = true},
});

inline constexpr auto k_comment = std::to_array<Argument>({
    k_task,
    {.name = "text",
     .value = "TEXT",
     .help = "what is to be said; words are joined by spaces",
     .positional = true,
     .required = true,
     .repeatable = true,
     .tool = {.name = "body", .help = "what is to be said, at most 64 KiB"}},
    {.name = "author",
     .value = "NAME",
     .help = "who says it (default: HERMES_PROFILE, else USER, else user)"},
    {.name = "max-len",
     .type = Type::integer,
     .value = "BYTES",
     .help = "cut the text to this length; at least 1",
     .least = 1,
     .most = 1'000'000'000},
});

inline constexpr Argument k_parent{.name = "parent_id",
                                   .type = Type::task_id,
                                   .value = "PARENT",
                                   .help = "the task that is waited for",
                                   .positional = true,
                                   .required = true,
                                   .tool = {.name = "parent_id"}};
inline constexpr Argument k_child{.name = "child_id",
                                  .type = Type::task_id,
                                  .value = "CHILD",
                                  .help = "the task that waits",
                                  .positional = true,
                                  .required = true,
                                  .tool = {.name = "child_id"}};
inline constexpr auto k_link = std::to_array<Argument>({
    k_parent,
    k_child,
    {.name = "condition",
     .type = Type::word,
     .value = "done|ended",
     .help = "done, or ended (done, archived or given up)",
     .fallback = "done",
     .words = k_words<LinkCondition>,
     .tool = {.name = "condition"}},
});
inline constexpr auto k_unlink = std::to_array<Argument>({k_parent, k_child});

inline constexpr auto k_log = std::to_array<Argument>({
    k_task,
    {.name = "tail",
     .type = Type::integer,
     .value = "BYTES",
     .help = "only the end; at least 1",
     .least = 1,
     .most = 1'000'000'000},
    {.name = "attempt",
     .type = Type::integer,
     .value = "N",
     .help = "which run (default: the last); at least 1",
     .least = 1,
     .most = 1'000'000'000},
});

inline constexpr Argument k_interval{
    .name = "interval",
    .type = Type::duration,
    .value = "DURATION",
    .help =
        "look again after this time although nothing was told; at least 100ms (default: never, "
        "each commit wakes it)",
    .least = 100};
inline constexpr auto k_watch = std::to_array<Argument>({
    {.name = "since",
     .type = Type::integer,
     .value = "SEQ",
     .help = "first what came after this event number",
     .least = 0},
    k_assignee_filter,
    k_tenant_filter,
    {.name = "kinds", .value = "A,B", .help = "only events of these kinds, separated by commas"},
    k_interval,
});

inline constexpr auto k_tail = std::to_array<Argument>({
    k_task,
    {.name = "since",
     .type = Type::integer,
     .value = "SEQ",
     .help = "only what came after this event number (default: everything)",
     .least = 0},
    {.name = "until-terminal",
     .type = Type::boolean,
     .help = "end once the task is done or archived; a blocked one is followed on"},
    k_interval,
});

inline constexpr Argument k_new_assignee{
    .name = "assignee",
    .type = Type::assignee,
    .value = "PROFILE",
    .help = "a profile, or the name of whoever claims such tasks; 'none': nobody",
    .positional = true,
    .required = true};
inline constexpr auto k_assign = std::to_array<Argument>({k_task, k_new_assignee});
inline constexpr auto k_reassign = std::to_array<Argument>({
    k_task,
    k_new_assignee,
    {.name = "reclaim",
     .type = Type::boolean,
     .help = "also when it runs: the worker is stopped first"},
    k_reason,
});

inline constexpr Argument k_board{.name = "slug",
                                  .type = Type::board,
                                  .value = "BOARD",
                                  .help = "a board's name",
                                  .positional = true,
                                  .required = true};
inline constexpr auto k_boards_create = std::to_array<Argument>({
    {.name = "slug",
     .type = Type::board,
     .value = "BOARD",
     .help = "1 to 64 characters a-z, 0-9, _ and -, beginning with a letter or digit",
     .positional = true,
     .required = true},
    {.name = "name", .value = "TEXT", .help = "what people call it (default: BOARD)"},
    {.name = "description", .value = "TEXT", .help = "what it is for"},
    {.name = "icon", .value = "TEXT", .help = "a sign for it, at most 64 bytes"},
    {.name = "color", .value = "TEXT", .help = "its colour, for what shows colours"},
    {.name = "default-workdir",
     .type = Type::path,
     .value = "PATH",
     .help = "absolute; where dir and worktree workspaces without a path work"},
    {.name = "switch", .type = Type::boolean, .help = "make it the current board"},
});
inline constexpr auto k_boards_show = std::to_array<Argument>({
    {.name = "slug",
     .type = Type::board,
     .value = "BOARD",
     .help = "a board's name (default: the one that commands mean)",
     .positional = true},
});
inline constexpr auto k_boards_switch = std::to_array<Argument>({k_board});
inline constexpr auto k_boards_list = std::to_array<Argument>({
    {.name = "all", .type = Type::boolean, .help = "also those in boards/_archived"},
});
inline constexpr auto k_boards_rename = std::to_array<Argument>({
    k_board,
    {.name = "name",
     .value = "NAME",
     .help = "what people call it, on one line; words are joined by spaces",
     .positional = true,
     .required = true,
     .repeatable = true},
});
inline constexpr auto k_boards_set_default_workdir = std::to_array<Argument>({
    k_board,
    {.name = "path",
     .type = Type::path,
     .value = "PATH",
     .help = "an absolute directory; without it the setting is cleared",
     .positional = true},
});
inline constexpr auto k_boards_rm = std::to_array<Argument>({
    k_board,
    {.name = "delete", .type = Type::boolean, .help = "destroy it instead; needs --yes"},
    {.name = "yes", .type = Type::boolean, .help = "with --delete: really"},
});
inline constexpr Argument k_force_file{
    .name = "force", .type = Type::boolean, .help = "replace FILE when it exists"};
inline constexpr Argument k_out_file{.name = "file",
                                     .type = Type::path,
                                     .value = "FILE",
                                     .help = "what to write; it must not exist",
                                     .positional = true,
                                     .required = true};
inline constexpr auto k_boards_export = std::to_array<Argument>({
    k_board,
    k_out_file,
    {.name = "logs", .type = Type::boolean, .help = "the logs of the workers too"},
    k_force_file,
});
inline constexpr auto k_boards_import = std::to_array<Argument>({
    {.name = "file",
     .type = Type::path,
     .value = "FILE",
     .help = "what export or backup has written",
     .positional = true,
     .required = true},
    {.name = "slug",
     .type = Type::board,
     .value = "BOARD",
     .help = "the name of the new board (default: the one that was exported)",
     .positional = true},
});
inline constexpr auto k_backup = std::to_array<Argument>({k_out_file, k_force_file});
inline constexpr auto k_restore = std::to_array<Argument>({
    {.name = "file",
     .type = Type::path,
     .value = "FILE",
     .help = "what backup has written",
     .positional = true,
     .required = true},
    {.name = "force",
     .type = Type::boolean,
     .help = "also when the present board is sound and has tasks"},
});

inline constexpr auto k_attach = std::to_array<Argument>({
    k_task,
    {.name = "path",
     .type = Type::path,
     .value = "PATH",
     .help = "a file of at most 25 MiB, '-' for standard input",
     .positional = true,
     .required = true,
     .tool = {.name = "content_base64",
              .content = true,
              .help = "the file itself as base64 with padding and without line breaks; at most 25 "
                      "MiB of file"}},
    {.name = "content-type",
     .value = "TYPE",
     .help = "what it is (default: by the ending of its name)",
     .tool = {.name = "content_type"}},
    {.name = "name",
     .value = "NAME",
     .help = "what it is called (default: as PATH)",
     .tool = {.name = "filename", .required = true, .help = "what the file is called"}},
    {.name = "author",
     .value = "NAME",
     .help = "who adds it (default: HERMES_PROFILE, else USER, else user)"},
});
inline constexpr auto k_attach_rm = std::to_array<Argument>({
    {.name = "attachment_id",
     .type = Type::integer,
     .value = "ATTACHMENT_ID",
     .help = "the number that attachments shows",
     .positional = true,
     .required = true,
     .least = 1},
});

inline constexpr std::int64_t k_most_days = 36'500;
inline constexpr auto k_gc = std::to_array<Argument>({
    {.name = "event-retention-days",
     .type = Type::integer,
     .value = "N",
     .help = "keep events this long; 0 to 36500 (default: [gc] event_retention, 30)",
     .least = 0,
     .most = k_most_days},
    {.name = "log-retention-days",
     .type = Type::integer,
     .value = "N",
     .help = "keep logs this long; 0 to 36500 (default: [gc] log_retention, 30)",
     .least = 0,
     .most = k_most_days},
    {.name = "workspace-retention-days",
     .type = Type::integer,
     .value = "N",
     .help = "keep scratch workspaces of done tasks this long; 0 to 36500 (default: [gc] "
             "workspace_retention, 30)",
     .least = 0,
     .most = k_most_days},
    {.name = "dry-run", .type = Type::boolean, .help = "only say what would be removed"},
});

inline constexpr Argument k_profile{.name = "name",
                                    .type = Type::profile,
                                    .value = "NAME",
                                    .help = "a profile's name",
                                    .positional = true,
                                    .required = true};
inline constexpr auto k_one_profile = std::to_array<Argument>({k_profile});
inline constexpr std::array<std::string_view, 7> k_profile_templates{
    "shell", "claude-code", "codex", "gemini", "hermes-agent", "aider", "http"};
inline constexpr auto k_profile_create = std::to_array<Argument>({
    {.name = "name",
     .type = Type::profile,
     .value = "NAME",
     .help = "1 to 64 characters a-z, 0-9, '.', _ and -, beginning with a letter or digit",
     .positional = true,
     .required = true},
    {.name = "command",
     .value = "COMMAND",
     .help = "the worker's program and arguments, after '--'; {task_id} {title} {body} {workspace} "
             "{board} {context_file} are replaced (default: that of the template)",
     .positional = true,
     .repeatable = true},
    {.name = "template",
     .type = Type::word,
     .value = "TEMPLATE",
     .help = "begin with a ready-made profile; what the other flags say goes before it",
     .words = k_profile_templates},
    {.name = "description", .value = "TEXT", .help = "what it is for"},
    {.name = "verdict",
     .type = Type::word,
     .value = "explicit|exit-code",
     .help = "explicit: the worker calls complete or block; exit-code: its exit code decides "
             "(default: explicit, or that of the template)",
     .words = k_words<VerdictMode>},
    {.name = "max-in-progress",
     .type = Type::integer,
     .value = "N",
     .help = "most workers of it at a time; 1 to 10000",
     .least = 1,
     .most = k_most_workers},
    {.name = "max-runtime",
     .type = Type::duration,
     .value = "DURATION",
     .help = "the longest a run may take, at least 1s",
     .least = k_second},
    {.name = "env-pass",
     .value = "NAME",
     .help = "a variable taken from the dispatcher's environment; may be given again",
     .repeatable = true},
    {.name = "env",
     .value = "NAME=VALUE",
     .help = "a variable set to a value; may be given again",
     .repeatable = true},
});
inline constexpr auto k_profile_edit = std::to_array<Argument>({
    k_profile,
    {.name = "set",
     .value = "KEY=VALUE",
     .help = "change this key instead of opening an editor: max_runtime=2h, limits.nice=10, "
             "env.LANG=C; nothing after '=' removes it; may be given again",
     .repeatable = true},
});
inline constexpr auto k_profile_describe = std::to_array<Argument>({
    k_profile,
    {.name = "description",
     .value = "TEXT",
     .help = "what it is for; words are joined by spaces",
     .positional = true,
     .required = true,
     .repeatable = true},
});
inline constexpr auto k_profile_rename = std::to_array<Argument>({
    k_profile,
    {.name = "new-name",
     .type = Type::profile,
     .value = "NEW",
     .help = "its new name, which no profile has",
     .positional = true,
     .required = true},
});
inline constexpr auto k_profile_export = std::to_array<Argument>({
    k_profile,
    {.name = "file",
     .type = Type::path,
     .value = "FILE",
     .help = "what to write; it must not exist (default: standard output)",
     .positional = true},
});
inline constexpr auto k_profile_install = std::to_array<Argument>({
    {.name = "file",
     .type = Type::path,
     .value = "FILE",
     .help = "what export has written, '-' for standard input",
     .positional = true,
     .required = true},
    {.name = "name",
     .type = Type::profile,
     .value = "NAME",
     .help = "the name of the new profile (default: the one that was exported)"},
});
inline constexpr auto k_profile_check = std::to_array<Argument>({
    k_profile,
    {.name = "task",
     .type = Type::task_id,
     .value = "ID",
     .help = "show the arguments for this task (default: for a sample)"},
});
inline constexpr auto k_context = std::to_array<Argument>({
    k_task,
    {.name = "contract",
     .type = Type::boolean,
     .help = "also how to work on it, which its own worker is told in any case"},
});
inline constexpr auto k_goal = std::to_array<Argument>({
    {.name = "command",
     .value = "AGENT",
     .help = "the agent's program and arguments, after '--'",
     .positional = true,
     .required = true,
     .repeatable = true},
    {.name = "judge",
     .value = "COMMAND",
     .help =
         "a command line for /bin/sh that is asked after each turn: 0 the goal is reached, 1 not "
         "yet",
     .required = true},
    {.name = "max-turns",
     .type = Type::integer,
     .value = "N",
     .help = "most turns, 1 to 10000 (default: the task's --goal-max-turns, else 20)",
     .least = 1,
     .most = 10'000},
});
inline constexpr auto k_profile_delete = std::to_array<Argument>({
    k_profile,
    {.name = "force", .type = Type::boolean, .help = "also while tasks are assigned to it"},
});

inline constexpr auto k_service = std::to_array<Argument>({
    {.name = "force", .type = Type::boolean, .help = "also when the service serves another home"},
});

inline constexpr auto k_daemon = std::to_array<Argument>({
    {.name = "interval",
     .type = Type::duration,
     .value = "DURATION",
     .help = "look again at the latest after this time, at least 1s",
     .least = k_second},
    k_max,
    k_failure_limit,
    {.name = "pidfile", .type = Type::path, .value = "PATH", .help = "write the process id there"},
    {.name = "verbose", .type = Type::boolean, .help = "say what is done", .letter = 'v'},
    {.name = "once", .type = Type::boolean, .help = "one pass, then end"},
});

inline constexpr auto k_dispatch = std::to_array<Argument>({
    k_max,
    k_failure_limit,
    {.name = "dry-run",
     .type = Type::boolean,
     .help = "only say what a pass would do now; also beside a running dispatcher"},
});

}  // namespace hermes::verbs::arguments
