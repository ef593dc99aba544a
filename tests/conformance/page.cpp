#include "conformance/page.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"

namespace hermes::test::conformance {

namespace {

constexpr std::string_view k_introduction =
    R"(# What every verb does, from every state, for everybody

Written by the tests from what they see (`tests/conformance`), and compared on every run of them: what stands here is what the
program does. After a change that is meant to change it:

    HERMES_REWRITE=1 build/dev/tests/hermes_tests '[conformance]'

and read the difference before it is committed. [Concepts](concepts.md) says the same as rules.

**Who.** *A person*: no run's variables are set. *Its worker*: the worker of the task's last run; where the task is not running that run has its
verdict, and its process has not ended yet. *Another task's worker*: a live worker of the same board. *A replaced worker*: the run was ended, and another one has been
started since.

**From.** The nine states. `running` is a run of the dispatcher; `running (by hand)` was claimed with `hermes kanban claim`; `running (reviewer)` is a run in lane review.
Every task was taken there by a worker, comes after a PARENT (not done in `todo`, else done), has a CHILD that waits for it, an attachment, and a chat that is told of it. OTHER
is a third task, ready.

**What.** *Becomes*: the state afterwards, `stays`, or `gone`. *Events* in the order of their numbers; of other tasks after their name. *Its runs*: `opened`, `closed as`
the outcome, `kept as` where a run of no length keeps what was said; `stopped` when its process was told to end, which it does at once
here, as it does under a dispatcher. *Exit*: the exit status, and why when it is not 0: `conflict` the state does not allow it, `forbidden` a
worker may not, `not_yours` the run has ended, `invalid` what was asked for makes no sense there, `not_found` there is no such thing.

Whatever is refused changes no row of the board and writes no event.
)";

// What is equal of cells that share a line.
struct Line {
  std::string becomes;
  std::string events;
  std::string runs;
  std::string exit;
  std::vector<std::string> places;

  bool same(const Line& other) const {
    return becomes == other.becomes && events == other.events && runs == other.runs &&
           exit == other.exit;
  }
};

Line line_of(const Cell& cell) {
  Line line;
  line.becomes = !cell.to                            ? "gone"
                 : *cell.to == status_of(cell.place) ? "stays"
                                                     : std::string(to_word(*cell.to));
  line.events = join(cell.events, ", ");
  line.runs = join(cell.runs, "; ");
  line.exit = std::to_string(cell.exit_status) + (cell.refusal.empty() ? "" : " " + cell.refusal);
  line.places = {std::string(to_word(cell.place))};
  return line;
}

// Each different line once, with its places.
std::vector<Line> lines_of(const std::vector<Cell>& cells) {
  std::vector<Line> lines;
  for (const Cell& cell : cells) {
    Line line = line_of(cell);
    const auto same =
        std::ranges::find_if(lines, [&](const Line& known) { return known.same(line); });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else if (std::ranges::find(same->places, line.places[0]) == same->places.end()) {
      same->places.push_back(line.places[0]);
    }
  }
  return lines;
}

std::string places_text(const Line& line) {
  return line.places.size() == k_words<Place>.size() ? "every state" : join(line.places, ", ");
}

std::vector<Cell> select(const std::vector<Cell>& cells, const std::string& call,
                         std::optional<Caller> caller) {
  std::vector<Cell> found;
  std::ranges::copy_if(cells, std::back_inserter(found), [&](const Cell& cell) {
    return cell.call == call && (!caller || cell.caller == *caller);
  });
  return found;
}

std::vector<std::string> calls_of(const std::vector<Cell>& cells) {
  std::vector<std::string> calls;
  for (const Cell& cell : cells) {
    if (calls.empty() || calls.back() != cell.call) {
      calls.push_back(cell.call);
    }
  }
  return calls;
}

std::string table_of(const std::vector<Cell>& cells, const std::string& call) {
  std::string text =
      "| who | from | becomes | events | its runs | exit |\n|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < k_words<Caller>.size(); ++i) {
    const auto caller = static_cast<Caller>(i);
    std::string who(to_word(caller));
    for (const Line& line : lines_of(select(cells, call, caller))) {
      text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", who, places_text(line), line.becomes,
                          line.events, line.runs, line.exit);
      who.clear();
    }
  }
  return text;
}

}  // namespace

std::string page(const std::vector<Cell>& writing, const std::vector<Cell>& reading) {
  std::string text(k_introduction);
  for (const std::string& call : calls_of(writing)) {
    text += fmt::format("\n## `{}`\n\n{}", call, table_of(writing, call));
  }
  text +=
      "\n## Verbs that read\n\nThey change nothing, whoever asks.\n\n| call | from | exit "
      "|\n|---|---|---|\n";
  for (const std::string& call : calls_of(reading)) {
    for (const Line& line : lines_of(select(reading, call, std::nullopt))) {
      text += fmt::format("| `{}` | {} | {} |\n", call, places_text(line), line.exit);
    }
  }
  return text;
}

}  // namespace hermes::test::conformance
