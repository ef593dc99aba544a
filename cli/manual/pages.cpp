#include <fmt/core.h>

#include "cli/help.hpp"
#include "cli/manual/page.hpp"
#include "cli/manual/variables.hpp"
#include "daemon/command_line/options.hpp"
#include "verbs/table.hpp"

namespace hermes::manual {

namespace {

using Kind = Block::Kind;

Block paragraph(std::string text) { return {Kind::paragraph, std::move(text), {}}; }
Block example(std::string text) { return {Kind::example, std::move(text), {}}; }
Block entries(std::vector<Entry> list) { return {Kind::entries, "", std::move(list)}; }

std::string capitalized(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') {
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
  }
  return out;
}

// "put a task on the board" becomes a sentence.
std::string sentences(std::string_view phrase, std::string_view more) {
  return fmt::format("{}.{}{}", capitalized(phrase), more.empty() ? "" : " ", more);
}

void add_verb(const verbs::Verb& verb, std::vector<Block>& blocks) {
  blocks.push_back({Kind::heading, cli::synopsis_of(verb), {}});
  std::string text = sentences(verb.help, verbs::more_of(verb));
  if (!verb.alias.empty()) {
    text += fmt::format(" Also called `{}`.", verb.alias);
  }
  blocks.push_back(paragraph(std::move(text)));
  std::vector<Entry> list;
  for (const verbs::Argument& argument : verb.arguments) {
    if (argument.positional) {
      list.push_back({std::string(argument.value), cli::meaning_of(argument)});
    }
  }
  for (const verbs::Argument& argument : verb.arguments) {
    if (!argument.positional) {
      list.push_back({cli::flag_text(argument), cli::meaning_of(argument)});
    }
  }
  if (!list.empty()) {
    blocks.push_back(entries(std::move(list)));
  }
}

Section verbs_of(const verbs::Group& group) {
  std::string name(group.name);
  for (char& c : name) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  Section section{group.name.empty() ? "VERBS" : "HERMES " + name, {}};
  if (!group.name.empty()) {
    std::string text = sentences(group.help, group.more);
    if (!group.default_verb.empty()) {
      text += fmt::format(" Without a verb: `hermes {} {}`.", group.name, group.default_verb);
    }
    section.blocks.push_back(paragraph(std::move(text)));
  }
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.group == group.name && !verb.properties.hidden) {
      add_verb(verb, section.blocks);
    }
  }
  return section;
}

Section options_of(std::string_view group, std::string_view said_before) {
  std::vector<Entry> list;
  for (const verbs::Argument& flag : verbs::flags_of(*verbs::find_group(group))) {
    list.push_back({cli::flag_text(flag), cli::meaning_of(flag)});
  }
  return {"OPTIONS", {paragraph(std::string(said_before)), entries(std::move(list))}};
}

template <class Wanted>
std::vector<Entry> variables(Wanted wanted) {
  std::vector<Entry> list;
  for (const Variable& variable : all_variables()) {
    if (wanted(variable.of)) {
      list.push_back({std::string(variable.name), std::string(variable.help)});
    }
  }
  return list;
}

Section environment() {
  using enum Variable::Of;
  return {
      "ENVIRONMENT",
      {entries(variables([](Variable::Of of) { return of != worker; })),
       paragraph("A worker that the dispatcher has started finds these too, and the commands it "
                 "runs are made in the name of its run:"),
       entries(variables([](Variable::Of of) { return of == worker; }))}};
}

Section files() {
  return {"FILES",
          {paragraph("Below `HERMES_HOME`, which only its owner can read:"),
           entries({{"config.toml", "settings, all optional; `hermes config show` prints them"},
                    {"profiles/NAME/profile.toml", "how the workers of this name are started"},
                    {"boards/BOARD/board.db", "the board, an SQLite database in WAL mode"},
                    {"boards/BOARD/board.lock", "the write gate: never delete or replace it"},
                    {"boards/BOARD/board.toml", "what people see of the board: name, description"},
                    {"boards/BOARD/logs/", "what workers wrote, TASK.ATTEMPT.log"},
                    {"boards/BOARD/workspaces/TASK/", "scratch directories"},
                    {"current", "the board that is meant when none is named"},
                    {"run/", "records of live workers; need not survive a reboot"}})}};
}

Section exit_status() {
  return {"EXIT STATUS",
          {entries({{"0", "done; what was acknowledged survives any crash"},
                    {"1",
                     "refused, not found or damaged; the message names the value, the rule and "
                     "the next step"},
                    {"2", "the command was malformed"},
                    {"3", "another dispatcher serves this home"}}),
           paragraph("Answers go to standard output, everything else to standard error.")}};
}

Page program_page() {
  Page page{"hermes",
            1,
            std::string(verbs::find_group("")->help),
            {"hermes VERB ...", "hermes GROUP VERB ..."},
            {}};
  page.sections.push_back(
      {"DESCRIPTION",
       {paragraph(
            "People, scripts and agents put tasks on a board. A dispatcher starts a worker "
            "process for each ready task, in the order that the links between them demand. A "
            "worker is any command. Every attempt, result and failure stays on the board, and "
            "nothing that was acknowledged is lost when a worker, the dispatcher or the "
            "machine dies."),
        paragraph("The verbs of a board, `hermes kanban`, have a page of their own: "
                  "hermes-kanban(1). `hermes help WORDS` prints the page of a verb.")}});
  for (const verbs::Group& group : verbs::all_groups()) {
    if (!group.name.starts_with("kanban")) {
      page.sections.push_back(verbs_of(group));
    }
  }
  page.sections.push_back(options_of("", "Every verb takes `--json` and `--help`."));
  page.sections.push_back(environment());
  page.sections.push_back(files());
  page.sections.push_back(exit_status());
  page.sections.push_back(
      {"EXAMPLES",
       {paragraph("The home and its first board, and a dispatcher in this terminal:"),
        example("hermes init\nhermes kanban daemon"),
        paragraph("A worker of its own kind, whose exit code is the verdict:"),
        example("hermes profile create tests --verdict exit-code -- make -C '{workspace}' check"),
        paragraph("Completion in this bash:"), example("source <(hermes completion bash)")}});
  page.sections.push_back({"SEE ALSO", {paragraph("hermes-kanban(1), hermes-dispatcher(8)")}});
  return page;
}

Page kanban_page() {
  Page page{"hermes-kanban",
            1,
            std::string(verbs::find_group("kanban")->help),
            {"hermes kanban [--board NAME] VERB ..."},
            {}};
  page.sections.push_back(
      {"DESCRIPTION",
       {paragraph(std::string(verbs::find_group("kanban")->more)),
        paragraph(
            "A task is in one of the states triage, todo, scheduled, ready, running, blocked, "
            "review, done and archived. It is ready once nothing that it is linked to keeps it "
            "waiting; the dispatcher then starts a worker for it when its assignee is a "
            "profile. `hermes kanban why ID` says what keeps a task from running."),
        paragraph("A task's id is `t_` and eight hexadecimal digits. A unique beginning of it is "
                  "enough, with or without the `t_`. A value that begins with a dash comes after "
                  "`--`. Durations are numbers of seconds, or have a unit: `250ms`, `90s`, `15m`, "
                  "`1.5h`, `2d`.")}});
  for (const verbs::Group& group : verbs::all_groups()) {
    if (group.name.starts_with("kanban")) {
      page.sections.push_back(verbs_of(group));
      if (group.name == "kanban") {  // said above
        page.sections.back().title = "VERBS";
        page.sections.back().blocks.erase(page.sections.back().blocks.begin());
      }
    }
  }
  page.sections.push_back(
      options_of("kanban", "These stand anywhere on the line, with every verb of this page:"));
  page.sections.push_back(environment());
  page.sections.push_back(files());
  page.sections.push_back(exit_status());
  page.sections.push_back(
      {"EXAMPLES",
       {paragraph("Two tasks, of which the second waits for the first:"),
        example("hermes kanban create \"Fetch\" --assignee shell --body 'git pull --ff-only'\n"
                "hermes kanban create \"Build\" --assignee shell --body make --parent t_1a2b"),
        paragraph("What goes on, and what went wrong:"),
        example("hermes kanban watch\nhermes kanban show t_1a2b\nhermes kanban log t_1a2b"),
        paragraph("Work by hand:"),
        example("hermes kanban claim t_3c4d\nhermes kanban complete t_3c4d --summary 'as agreed'"),
        paragraph("The ids of all blocked tasks:"),
        example("hermes kanban list --status blocked --json | jq -r '.[].id'")}});
  page.sections.push_back({"SEE ALSO", {paragraph("hermes(1), hermes-dispatcher(8)")}});
  return page;
}

Page dispatcher_page() {
  Page page{"hermes-dispatcher",
            8,
            "starts the workers of all boards",
            {"hermes-dispatcher [flags]"},
            {}};
  page.sections.push_back(
      {"DESCRIPTION",
       {paragraph(std::string(daemon::purpose())),
        paragraph(
            "One dispatcher serves all boards of a home. It does not poll: a committed change, "
            "the end of a worker or a deadline wakes it. SIGTERM and SIGINT end it in order. It "
            "reads config.toml and the profiles again when they change, and on SIGHUP. Under "
            "systemd it reports its readiness and answers the watchdog."),
        paragraph(
            "`hermes kanban daemon` starts it in this terminal; `hermes kanban dispatch` is one "
            "pass, as with `--once`.")}});
  std::vector<Entry> flags;
  for (const daemon::Flag& flag : daemon::all_flags()) {
    flags.push_back({fmt::format("{}{}{}{}{}", flag.letter, flag.letter.empty() ? "" : ", ",
                                 flag.name, flag.value.empty() ? "" : " ", flag.value),
                     std::string(flag.help)});
  }
  page.sections.push_back({"OPTIONS", {entries(std::move(flags))}});
  std::vector<Entry> read = variables([](Variable::Of of) { return of == Variable::Of::all; });
  std::erase_if(read, [](const Entry& entry) {
    return entry.term != "HERMES_HOME" && entry.term != "HERMES_SHIM";
  });
  page.sections.push_back(
      {"ENVIRONMENT",
       {entries(std::move(read)),
        paragraph("Workers find `PATH`, `HOME`, `LANG`, `TERM`, `TZ` and `USER` of the dispatcher, "
                  "what their profile passes and sets, and the variables that hermes(1) names.")}});
  page.sections.push_back(files());
  std::vector<Entry> statuses;
  for (const daemon::ExitStatus& one : daemon::exit_statuses()) {
    statuses.push_back({std::to_string(one.status), std::string(one.meaning)});
  }
  page.sections.push_back({"EXIT STATUS", {entries(std::move(statuses))}});
  page.sections.push_back(
      {"EXAMPLES",
       {paragraph("As a service of the user's own systemd:"),
        example("systemctl --user enable --now hermes-dispatcher"),
        paragraph("One pass, for a script:"), example("hermes-dispatcher --once --json")}});
  page.sections.push_back({"SEE ALSO", {paragraph("hermes(1), hermes-kanban(1)")}});
  return page;
}

}  // namespace

std::vector<Page> all_pages() { return {program_page(), kanban_page(), dispatcher_page()}; }

}  // namespace hermes::manual
