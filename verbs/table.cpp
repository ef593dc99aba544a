#include "verbs/table.hpp"

#include <algorithm>

#include "verbs/arguments.hpp"
#include "verbs/handlers.hpp"

namespace hermes::verbs {

namespace {

constexpr Properties k_reads{.reads_only = true};
constexpr Properties k_tool_that_reads{.reads_only = true, .tool_of = ToolOf::workers};
constexpr Properties k_tool_that_adds{.tool_of = ToolOf::workers};
constexpr Properties k_tool_that_sets{.tool_of = ToolOf::workers, .idempotent = true};
constexpr Properties k_tool_that_stops{.tool_of = ToolOf::workers, .destructive = true};
constexpr Properties k_writes{};
constexpr Properties k_for_people{.for_people = true};
constexpr Properties k_runs_dispatcher{.runs_dispatcher = true, .for_people = true};
constexpr Properties k_controls{.controls_dispatcher = true, .for_people = true};

constexpr Group k_groups[] = {
    {"", "a durable kanban board for work that runs as processes", ""},
    {"kanban", "the tasks of a board",
     "The board is the one that --board names, else HERMES_KANBAN_BOARD, else the current one "
     "(`hermes kanban boards switch`), else default.",
     "", true},
    {"kanban boards", "the boards of the home", "", "list"},
    {"profile", "how the workers of a name are started", "", "list"},
    {"config", "the settings", "", "show"},
    {"dispatcher", "the program that starts the workers of all boards",
     "Where the user's systemd runs the service, the verbs go through systemctl --user.", "status"},
};

constexpr Verb k_verbs[] = {
    {"",
     "init",
     "",
     "make the home and its default board, or mend what is missing of them",
     "Does nothing to what exists already, except that an older board is brought to this program's "
     "schema.",
     {},
     k_writes,
     init},
    {"",
     "version",
     "",
     "the versions of this program and of the SQLite it runs with",
     "",
     {},
     k_reads,
     version},
    {"",
     "doctor",
     "",
     "check the home, its settings, its profiles and all of its boards",
     "Exit status 1 when something is wrong.",
     {},
     k_reads,
     doctor},
    {"", "selftest", "", "play random histories against the rules of the board",
     "Each seed is a history of people, workers and dispatchers on a board of its own, with kills, "
     "restarts and clocks "
     "that are set, under a simulated clock; nothing of yours is touched. Exit status 1 when a "
     "rule is violated: the "
     "history is printed.",
     arguments::k_selftest, k_reads, selftest},
    {"",
     "mcp",
     "",
     "serve agents over the Model Context Protocol, on standard input and output",
     "Inside a worker it offers what a worker may do; elsewhere nothing, unless --orchestrator is "
     "given. An agent's "
     "settings name this command; it ends when its standard input does.",
     arguments::k_mcp,
     {.serves = true},
     mcp},
    {"", "help", "", "the page of --help about a verb or a group",
     "For example: `hermes help kanban create`. With --json its arguments, for programs.",
     arguments::k_help, k_reads, help},
    {"", "completion", "", "print the completion script of a shell",
     "Bash: `source <(hermes completion bash)`; zsh: `source <(hermes completion zsh)`; fish: "
     "`hermes completion fish | source`.",
     arguments::k_completion, k_reads, completion},
    {"",
     "__complete",
     "",
     "what may stand at the end of a line, for completion scripts",
     "",
     arguments::k_complete_line,
     {.reads_only = true, .hidden = true},
     complete_line},

    {"kanban", "create", "", "put a task on the board",
     "It is ready at once unless it has a parent that is not done, or --triage or --initial-status "
     "say otherwise. "
     "A title that begins with '-' comes after '--'.",
     arguments::k_create, k_tool_that_adds, create,
     "Put a new task on the board, for another profile or for later. It starts by itself when it "
     "is ready: once its "
     "parents are done, and at once when it has none. Nobody works on a task without an assignee."},
    {"kanban", "swarm", "", "put a graph on the board: workers, a verifier, a synthesizer",
     "The root is done at once and holds the blackboard; the workers are ready, the verifier waits "
     "for all of them, the synthesizer for the verifier. All of it is made, or nothing.",
     arguments::k_swarm, k_writes, swarm},
    {"kanban",
     "list",
     "ls",
     "the tasks of the board",
     "",
     arguments::k_list,
     {.reads_only = true, .tool_of = ToolOf::orchestrators},
     list,
     "The tasks of the board, the most urgent first. When `truncated` is true there are more: ask "
     "again with "
     "`limit` set to `next_limit`, or filter."},
    {"kanban", "show", "", "one task with its links, comments, events and runs", "",
     arguments::k_task_and_states, k_tool_that_reads, show,
     "One task with its text, links, comments, attachments, newest events and runs. "
     "`worker_context` is the text "
     "that its worker is given: read it first."},
    {"kanban", "claim", "", "take a ready task to work on it yourself",
     "The claim lives until its time is over; `heartbeat` renews it, `complete`, `block` and "
     "`reclaim` end it.",
     arguments::k_claim, k_writes, claim},
    {"kanban", "complete", "", "say that tasks are done",
     "Each task is done by itself; --summary, --metadata, --artifact and --created belong to one "
     "run, so they take one task.",
     arguments::k_complete, k_tool_that_sets, complete,
     "Say that the task is done, which ends your work on it: the tasks that wait for it may start "
     "and are given the "
     "summary and the metadata. Only when it is really done; otherwise kanban_block."},
    {"kanban", "block", "", "say that tasks cannot go on", "A running worker is stopped.",
     arguments::k_block, k_tool_that_stops, block,
     "Say that the task cannot go on, and why, which ends your work on it for now. Kinds: "
     "needs_input (a person has "
     "to answer), capability (something is missing here), transient (try again later), dependency "
     "(an open parent). "
     "`status` says where the task has landed."},
    {"kanban",
     "unblock",
     "",
     "put blocked or scheduled tasks back into the queue",
     "",
     arguments::k_unblock,
     {.tool_of = ToolOf::orchestrators, .idempotent = true},
     unblock,
     "Put a blocked or scheduled task back into the queue. Say first, with kanban_comment, what "
     "its next worker has "
     "to know."},
    {"kanban", "promote", "", "move tasks from triage, todo or blocked to ready, or try them now",
     "Refused while a link is open, naming the parents. A ready task that is held after a failure "
     "or a rate limit is tried again at once.",
     arguments::k_promote, k_writes, promote},
    {"kanban",
     "specify",
     "",
     "let the planner give a task in triage a better text, and move it on",
     "The planner is the command in [planner] of config.toml. What the text was stays in a "
     "comment. "
     "--all passes over tasks that a person is to answer, over those about which a planner is "
     "being "
     "asked, and over those at which it has just failed; exit status 0 then means that one at "
     "least "
     "was planned, or that none was due. --json prints one object per line.",
     arguments::k_plan,
     {.json_lines = true},
     specify},
    {"kanban",
     "decompose",
     "",
     "let the planner split a task in triage into linked tasks",
     "The task waits for all of its parts. All of it is made, or nothing. A task that the planner "
     "does not split gets a better text, as by specify. --all passes over the same tasks, with the "
     "same exit status.",
     arguments::k_plan,
     {.json_lines = true},
     decompose},
    {"kanban", "schedule", "", "put tasks aside until a time, or until they are unblocked",
     "From todo, ready, running (the worker is stopped) and blocked; a scheduled task gets another "
     "time. Without --at and --in they wait for `unblock`.",
     arguments::k_schedule, k_writes, schedule},
    {"kanban", "request-review", "", "hand the work of running tasks to a reviewer",
     "[dispatcher] reviewer names the profile that reviews; without one a person does. `complete` "
     "approves.",
     arguments::k_review, k_writes, request_review},
    {"kanban", "request-changes", "", "send tasks that are in review back to work",
     "The reason becomes a comment, which the next worker is given.", arguments::k_review, k_writes,
     request_changes},
    {"kanban", "reopen-review", "", "put done tasks back into review",
     "Children that run, are in review or are done are not touched; the others wait again.",
     arguments::k_review, k_writes, reopen_review},
    {"kanban", "edit", "", "change what a task says",
     "The state stays. A result, a summary and metadata belong to a done task.", arguments::k_edit,
     k_writes, edit},
    {"kanban", "set-model", "", "which model the workers of a task are asked to use",
     "From the next start on. What is left out is cleared.", arguments::k_set_model, k_writes,
     set_model},
    {"kanban", "reclaim", "", "stop the worker of a running task and put the task back", "",
     arguments::k_reclaim, k_writes, reclaim},
    {"kanban", "archive", "", "put tasks away, or delete archived ones with --rm",
     "Says which tasks are left waiting for them. --rm is refused while a task waits for them.",
     arguments::k_archive, k_writes, archive},
    {"kanban", "heartbeat", "", "say that the work on a task goes on", "Renews the claim.",
     arguments::k_heartbeat, k_tool_that_sets, heartbeat,
     "Say that your work on the task goes on, with a word on how far it is. In long work at least "
     "once an hour."},
    {"kanban", "comment", "", "add a comment to a task", "", arguments::k_comment, k_tool_that_adds,
     comment,
     "Add a comment to a task, also to one of others: people and its next workers read it."},
    {"kanban", "attach", "", "keep a file with a task", "A worker attaches to its own task only.",
     arguments::k_attach, k_tool_that_adds, attach,
     "Keep a file with the task, up to 25 MiB. A file that lies in the workspace is kept more "
     "cheaply by naming its path in "
     "`artifacts` of kanban_complete."},
    {"kanban", "attachments", "", "the files that are kept with a task", "", arguments::k_one_task,
     k_tool_that_reads, attachments,
     "The files that are kept with a task, with the path of each to read it from."},
    {"kanban", "attach-rm", "", "remove a file that is kept with a task", "",
     arguments::k_attach_rm, k_writes, attach_rm},
    {"kanban", "link", "", "let one task wait for another", "", arguments::k_link, k_tool_that_sets,
     link, "Let one task (child_id) wait for another (parent_id). A circle is refused."},
    {"kanban", "unlink", "", "let a task wait no longer for another", "", arguments::k_unlink,
     k_writes, unlink},
    {"kanban", "context", "", "the text that a worker of the task is given",
     "Its own worker is also told how to work on it.", arguments::k_context, k_reads, context},
    {"kanban", "goal", "", "run an agent again and again until a judge agrees",
     "For the command of a profile: hermes kanban goal --judge 'make check' -- my-agent. After "
     "each "
     "turn the judge is asked; its words are in HERMES_KANBAN_GOAL_FEEDBACK of the next one. When "
     "it "
     "agrees the task is completed, when the turns are over it is blocked. The judge stands before "
     "the agent's own verdicts too. One that ends with anything but 0 and 1 is broken: the run "
     "fails.",
     arguments::k_goal, k_writes, goal},
    {"kanban", "runs", "", "the runs of a task", "", arguments::k_task_and_states, k_reads, runs},
    {"kanban", "log", "", "what a worker wrote", "", arguments::k_log, k_reads, log},
    {"kanban", "assign", "", "give a task to a profile, or to nobody",
     "A running task is refused. Another assignee starts afresh: failures are forgotten.",
     arguments::k_assign, k_writes, assign},
    {"kanban", "reassign", "", "give a task to another profile, also while it runs",
     "Like assign; with --reclaim a running worker is stopped first.", arguments::k_reassign,
     k_writes, reassign},
    {"kanban",
     "tail",
     "",
     "print the events of one task, and go on as they are committed",
     "Ends with Ctrl-C, or when nobody reads any more.",
     arguments::k_tail,
     {.reads_only = true, .streams = true},
     tail},
    {"kanban",
     "watch",
     "",
     "print events as they are committed",
     "Ends with Ctrl-C, or when nobody reads any more.",
     arguments::k_watch,
     {.reads_only = true, .streams = true},
     watch},
    {"kanban", "why", "", "what keeps a task from running", "", arguments::k_one_task, k_reads,
     why},
    {"kanban", "diagnostics", "diag",
     "what is wrong and can be mended, with commands that may help",
     "Tasks that fail again and again, wait for too long or are forgotten; profiles that are "
     "paused "
     "or cannot be used. Done and archived tasks have none.",
     arguments::k_diagnostics, k_reads, diagnostics},
    {"kanban", "inspect", "", "the process of a run, as it is at this moment",
     "Of a task: its open run, or the last one. A run that has ended shows how.",
     arguments::k_inspect, k_reads, inspect},
    {"kanban", "notify-subscribe", "", "let a chat be told what becomes of a task, or of the board",
     "From the next event on: history is not told. It ends when the task is done or archived.",
     arguments::k_notify_subscribe, k_writes, notify_subscribe},
    {"kanban", "notify-list", "", "who is told what", "", arguments::k_notify_list, k_reads,
     notify_list},
    {"kanban", "notify-unsubscribe", "", "let a chat be told no more",
     "What has not been delivered yet is dropped.", arguments::k_notify_unsubscribe, k_writes,
     notify_unsubscribe},
    {"kanban",
     "stats",
     "",
     "how many tasks there are, by status and assignee",
     "",
     {},
     k_reads,
     stats},
    {"kanban", "import", "", "bring the tasks of another board over",
     "PATH is a kanban.db of the Python board, which may be in use and is never changed, or JSON "
     "Lines as beads keeps them. A second import of the same tasks brings nothing twice.",
     arguments::k_import, k_for_people, import_board},
    {"kanban",
     "assignees",
     "",
     "the profiles, and whoever tasks are assigned to",
     "",
     {},
     k_reads,
     assignees},
    {"kanban",
     "doctor",
     "",
     "check one board",
     "Exit status 1 when something is wrong.",
     {},
     k_reads,
     board_doctor},
    {"kanban", "backup", "", "copy the board into a file, while everything goes on",
     "The file is one SQLite database, and is checked. Attachments and logs are not in it: `boards "
     "export` takes them along.",
     arguments::k_backup, k_writes, backup},
    {"kanban", "restore", "", "put a backup in the place of the board",
     "The present board is kept in boards/_archived. Refused while a dispatcher serves the home or "
     "a worker of the board lives. Runs that were open in the backup are closed as aborted.",
     arguments::k_restore, k_for_people, restore},
    {"kanban",
     "repair",
     "",
     "mend a board whose indexes are damaged, and what is missing of its directory",
     "Copies the board first. Other damage is refused, and is a case for `restore`.",
     {},
     k_for_people,
     repair},
    {"kanban", "gc", "", "remove what is no longer needed",
     "Workspaces of archived tasks, old events and logs of tasks that are done or archived, and "
     "what killed commands have left. Nothing that Hermes has not made is touched.",
     arguments::k_gc, k_for_people, gc},
    {"kanban", "daemon", "", "start the dispatcher, which starts a worker for each ready task",
     "One dispatcher serves every board of the home; a second one ends with exit status 3.",
     arguments::k_daemon, k_runs_dispatcher, daemon},
    {"kanban", "dispatch", "", "one pass of the dispatcher",
     "It ends once each worker that it has started is seen alive or has ended, after 30 s at most. "
     "Exit status 3 when another dispatcher is running, except with --dry-run; 1, and nothing is "
     "started, in a unit of systemd that ends with the pass and kills the workers (KillMode=).",
     arguments::k_dispatch, k_runs_dispatcher, dispatch},

    {"kanban boards", "list", "ls", "all boards of the home", "", arguments::k_boards_list, k_reads,
     boards_list},
    {"kanban boards", "create", "new", "make a board",
     "A board that exists stays as it is, with its settings.", arguments::k_boards_create,
     k_for_people, boards_create},
    {"kanban boards", "show", "current", "one board, and why it is the one that commands mean", "",
     arguments::k_boards_show, k_reads, boards_show},
    {"kanban boards", "switch", "use", "make a board the one that commands mean",
     "HERMES_KANBAN_BOARD and --board go before it.", arguments::k_boards_switch, k_for_people,
     boards_switch},
    {"kanban boards", "rename", "", "change what people call a board", "Its slug stays.",
     arguments::k_boards_rename, k_for_people, boards_rename},
    {"kanban boards", "set-default-workdir", "",
     "where workspaces dir and worktree without a path work",
     "For tasks that are created from then on.", arguments::k_boards_set_default_workdir,
     k_for_people, boards_set_default_workdir},
    {"kanban boards", "rm", "remove", "put a board away in boards/_archived",
     "Refused for the default board, and while a worker of it lives. --delete --yes destroys it.",
     arguments::k_boards_rm, k_for_people, boards_rm},
    {"kanban boards", "export", "", "write a board with its attachments into one file",
     "The file can be taken to another home or machine, where `import` makes a new board of it.",
     arguments::k_boards_export, k_writes, boards_export},
    {"kanban boards", "import", "", "make a new board of an exported file, or of a backup",
     "Its ready tasks start as soon as a dispatcher serves it. Runs that were open are closed as "
     "aborted.",
     arguments::k_boards_import, k_for_people, boards_import},

    {"profile",
     "list",
     "ls",
     "all profiles, with what they have to do",
     "",
     {},
     k_reads,
     profile_list},
    {"profile", "show", "", "one profile", "Exit status 1 when it cannot be used.",
     arguments::k_one_profile, k_reads, profile_show},
    {"profile", "create", "new", "write a new profile",
     "For example: hermes profile create writer --description 'Writes texts' -- my-agent --task "
     "'{task_id}', or from a template: hermes profile create coder --template claude-code",
     arguments::k_profile_create, k_for_people, profile_create},
    {"profile",
     "templates",
     "",
     "the ready-made profiles that create --template begins with",
     "With --json their texts too.",
     {},
     k_reads,
     profile_templates},
    {"profile", "edit", "", "change a profile",
     "In VISUAL or EDITOR, or with --set. What could not be used replaces nothing, and is kept as "
     "profile.toml.rejected.",
     arguments::k_profile_edit, k_for_people, profile_edit},
    {"profile", "describe", "", "say what a profile is for",
     "Planners choose whom to give a task by it.", arguments::k_profile_describe, k_for_people,
     profile_describe},
    {"profile", "rename", "mv", "give a profile another name",
     "With its open tasks on all boards, one transaction for each. Done tasks keep the name of who "
     "did them. Refused while workers of it run.",
     arguments::k_profile_rename, k_for_people, profile_rename},
    {"profile", "export", "", "a profile as one file, without its secrets",
     "Variables whose name or value looks like a secret and the env_file are left out, and named.",
     arguments::k_profile_export, k_for_people, profile_export},
    {"profile", "install", "", "make a profile of what export has written",
     "It is a command that will be run with your rights: read it first.",
     arguments::k_profile_install, k_for_people, profile_install},
    {"profile",
     "check",
     "",
     "try a profile without starting a worker",
     "Shows the program that would be found, its version, the arguments and the environment of a "
     "worker, secrets masked. Exit status 1 when it cannot work.",
     arguments::k_profile_check,
     {.for_people = true, .takes_board = true},
     profile_check},
    {"profile", "delete", "rm", "remove a profile",
     "Refused while tasks that are not done are assigned to it.", arguments::k_profile_delete,
     k_for_people, profile_delete},
    {"profile",
     "resume",
     "",
     "end the pause of a profile whose tasks failed alike",
     "On every board of the home, unless --board NAME says on which one. What holds a task alone "
     "goes on holding it.",
     arguments::k_one_profile,
     {.for_people = true, .takes_board = true},
     profile_resume},

    {"dispatcher",
     "status",
     "",
     "since when it runs, what runs and what waits, and why",
     "Exit status 1 when it does not run.",
     {},
     k_reads,
     dispatcher_status},
    {"dispatcher",
     "start",
     "",
     "start it, unless it runs",
     "As a service where one is installed (`install`), else in the background.",
     {},
     k_controls,
     dispatcher_start},
    {"dispatcher",
     "stop",
     "",
     "stop it; workers go on, and the next dispatcher finds them again",
     "",
     {},
     k_controls,
     dispatcher_stop},
    {"dispatcher",
     "restart",
     "",
     "stop it and start it anew; workers go on",
     "",
     {},
     k_controls,
     dispatcher_restart},
    {"dispatcher", "install", "", "make it a service of the user's systemd, started at login",
     "Writes and enables hermes-dispatcher.service for this home; `start` starts it.",
     arguments::k_service, k_controls, dispatcher_install},
    {"dispatcher", "uninstall", "", "stop the service, disable it and remove what install wrote",
     "", arguments::k_service, k_controls, dispatcher_uninstall},

    {"config",
     "show",
     "",
     "every setting, the value that applies and where it comes from",
     "Flags of a running dispatcher go before config.toml.",
     {},
     k_reads,
     config_show},
};

constexpr Argument k_board_flag{
    .name = "board",
    .type = Type::board,
    .value = "NAME",
    .help = "the board that is meant (default: HERMES_KANBAN_BOARD, else the current one)"};
constexpr Argument k_json_flag{
    .name = "json", .type = Type::boolean, .help = "answer in JSON on standard output"};
constexpr Argument k_help_flag{
    .name = "help", .type = Type::boolean, .help = "this page", .letter = 'h'};
constexpr Argument k_version_flag{
    .name = "version", .type = Type::boolean, .help = "the version of this program"};

}  // namespace

std::span<const Group> all_groups() { return k_groups; }

const Group* find_group(std::string_view name) {
  const auto* found = std::ranges::find(k_groups, name, &Group::name);
  return found == std::end(k_groups) ? nullptr : found;
}

std::span<const Verb> all_verbs() { return k_verbs; }

const Verb* find_verb(std::string_view group, std::string_view name) {
  const auto* found = std::ranges::find_if(k_verbs, [&](const Verb& verb) {
    return verb.group == group && (verb.name == name || (!name.empty() && verb.alias == name));
  });
  return found == std::end(k_verbs) ? nullptr : found;
}

std::string more_of(const Verb& verb) {
  std::string more(verb.more);
  if (verb.properties.for_people) {
    more += more.empty() ? "" : " ";
    more += "For people: a worker is refused.";
  }
  return more;
}

bool takes_board(const Verb& verb) {
  return verb.properties.takes_board || find_group(verb.group)->takes_board;
}

const Argument* find_argument(const Verb& verb, std::string_view name) {
  const auto found = std::ranges::find(verb.arguments, name, &Argument::name);
  return found == verb.arguments.end() ? nullptr : &*found;
}

std::vector<Argument> flags_of(const Group& group) {
  std::vector<Argument> flags;
  if (group.takes_board) {
    flags.push_back(k_board_flag);
  }
  flags.push_back(k_json_flag);
  flags.push_back(k_help_flag);
  if (group.name.empty()) {
    flags.push_back(k_version_flag);
  }
  return flags;
}

std::vector<Argument> flags_of(const Verb& verb) {
  std::vector<Argument> flags;
  for (const Argument& argument : verb.arguments) {
    if (!argument.positional) {
      flags.push_back(argument);
    }
  }
  for (const Argument& argument : flags_of(*find_group(verb.group))) {
    if (argument.name != k_version_flag.name) {
      flags.push_back(argument);
    }
  }
  return flags;
}

}  // namespace hermes::verbs
