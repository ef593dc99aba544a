#include "churn/ledger.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

namespace hermes::churn {

namespace {

// Everything that people or workers have said, in one text.
constexpr const char* k_all_words =
    "SELECT title || ' ' || assignee || ' ' || worker_options FROM tasks UNION ALL "
    "SELECT COALESCE(summary, '') || ' ' || profile || ' ' || COALESCE(error, '') FROM runs "
    "UNION ALL SELECT COALESCE(payload, '') FROM events UNION ALL SELECT body FROM comments "
    "UNION ALL SELECT filename FROM attachments";

void add_tags(const std::string& text, std::set<std::string>& tags) {
  static const std::regex tag("q[0-9]+z");
  for (std::sregex_iterator at(text.begin(), text.end(), tag), end; at != end; ++at) {
    tags.insert(at->str());
  }
}

std::string told(const Call& call) {
  return fmt::format("{}, moments {} to {}", fmt::join(call.words, " "), call.begun, call.ended);
}

}  // namespace

Ledger::Facts Ledger::facts_of(const Ground& ground, const std::string& board) {
  return ground.read(board, [](db::Reader& tx) {
    Facts facts;
    auto words = tx.query(k_all_words);
    while (words.next()) {
      add_tags(words.text(0), facts.tags);
    }
    auto comments = tx.query("SELECT task_id, body FROM comments");
    while (comments.next()) {
      ++facts.comments[{comments.text(0), comments.text(1)}];
    }
    auto links = tx.query("SELECT parent_id, child_id FROM links");
    while (links.next()) {
      facts.links.emplace(links.text(0), links.text(1));
    }
    auto tasks = tx.query("SELECT id, status, CAST(priority AS TEXT), assignee FROM tasks");
    while (tasks.next()) {
      facts.statuses.emplace(tasks.text(0), tasks.text(1));
      facts.priorities.emplace(tasks.text(0), tasks.text(2));
      facts.assignees.emplace(tasks.text(0), tasks.text(3));
    }
    auto runs = tx.query("SELECT task_id, CAST(id AS TEXT) FROM runs");
    while (runs.next()) {
      facts.runs.emplace(runs.text(0), runs.text(1));
    }
    return facts;
  });
}

void Ledger::note_created(const Call& call, const nlohmann::json& said) {
  auto& known = tasks_.at(call.board);
  if (said.contains("id")) {
    known.push_back(said["id"]);
  } else {
    for (const auto& id : said.at("worker_ids")) {
      known.push_back(id);
    }
    known.push_back(said.at("synthesizer_id"));
  }
}

void Ledger::end(Call call, Answer answer, const nlohmann::json& said) {
  call.ended = ++clock_;
  ++(answer == Answer::done ? done : answer == Answer::refused ? refused : killed);
  const bool acknowledged = answer == Answer::done;
  succeeded[call.verb] += acknowledged ? 1 : 0;
  if (acknowledged && (call.verb == "archive" || call.verb == "request-review")) {
    after_[{call.board, call.verb}].push_back(call.task);
  }
  if (acknowledged && (call.verb == "create" || call.verb == "swarm")) {
    note_created(call, said);
    if (said.value("existing", false)) {
      call.tag.clear();  // another one's task was answered: nothing was written
    } else if (call.verb == "create") {
      call.task = said["id"];
    }
  }
  if (acknowledged && call.verb == "claim") {
    call.value = std::to_string(said["run_id"].get<int>());
    hand_runs_.push_back({call.board, call.task, call.value, said["token"]});
  }
  if (acknowledged && call.verb == "link") {
    links_.at(call.board).emplace_back(call.task, call.child);
  }
  if (call.verb == "delete" && answer != Answer::refused) {
    deletions_[{call.board, call.task}] |= acknowledged;
  }
  const bool writes_to_board =
      !call.tag.empty() ||
      std::ranges::count(
          std::vector<std::string>{"link", "unlink", "archive", "priority", "reassign", "claim"},
          call.verb) > 0;
  if (writes_to_board) {
    writes += acknowledged ? 1 : 0;
    entries_.push_back({std::move(call), answer});
  }
}

void Ledger::check_entry(const Ground& ground, const Entry& entry, const Facts& facts,
                         Findings& findings) const {
  const Call& call = entry.call;
  if (!call.task.empty() && may_be_deleted(call.board, call.task)) {
    return;
  }
  if (entry.answer == Answer::done && call.verb == "claim") {
    findings.check(facts.runs.contains({call.task, call.value}), "a claimed run is on the board",
                   fmt::format("run {}: {}", call.value, told(call)));
  }
  if (call.tag.empty()) {
    return;
  }
  // All tasks of a swarm carry its tag, and not all of them are deleted.
  const bool there = facts.tags.contains(call.tag);
  findings.check(entry.answer != Answer::done || there, "what was acknowledged is on the board",
                 told(call));
  findings.check(entry.answer != Answer::refused || !there, "what was refused has changed nothing",
                 told(call));
  if (entry.answer != Answer::done) {
    return;
  }
  if (call.verb == "comment") {
    const auto comment = facts.comments.find({call.task, call.tag});
    findings.check(comment != facts.comments.end() && comment->second == 1,
                   "an acknowledged comment is there once", told(call));
  } else if (call.verb == "attach") {
    const auto file = ground.home().board(call.board).attachments_of(call.task) / call.tag;
    findings.check(fs::exists(file), "the file of an acknowledged attachment is there", told(call));
  }
}

void Ledger::check_links(const Facts& facts, const std::string& board, Findings& findings) const {
  std::map<Key, bool> undone;  // by parent and child: somebody may have unlinked them
  for (const Entry& entry : entries_) {
    if (entry.call.board == board && entry.call.verb == "unlink" &&
        entry.answer != Answer::refused) {
      undone[{entry.call.task, entry.call.child}] = true;
    }
  }
  for (const auto& [call, answer] : entries_) {
    if (call.board != board || call.verb != "link" || answer != Answer::done ||
        undone.contains({call.task, call.child}) || may_be_deleted(board, call.task) ||
        may_be_deleted(board, call.child)) {
      continue;
    }
    findings.check(facts.links.contains({call.task, call.child}), "an acknowledged link is there",
                   told(call));
  }
}

// Somebody may have linked them again: whoever had not ended before it began.
void Ledger::check_unlinked(const Facts& facts, const std::string& board,
                            Findings& findings) const {
  std::map<Key, std::int64_t> last_links;  // the latest end
  for (const Entry& entry : entries_) {
    if (entry.call.board == board && entry.call.verb == "link" && entry.answer != Answer::refused) {
      auto& last = last_links[{entry.call.task, entry.call.child}];
      last = std::max(last, entry.call.ended);
    }
  }
  for (const auto& [call, answer] : entries_) {
    if (call.board == board && call.verb == "unlink" && answer == Answer::done) {
      const auto again = last_links.find({call.task, call.child});
      findings.check(!facts.links.contains({call.task, call.child}) ||
                         (again != last_links.end() && again->second > call.begun),
                     "what was unlinked stays so", told(call));
    }
  }
}

// The value at the end is one that no acknowledged call has overwritten for certain: none that
// began after the one that wrote it had ended.
void Ledger::check_edits(const std::string& verb, const std::map<std::string, std::string>& values,
                         const std::string& board, Findings& findings) const {
  std::map<std::string, std::vector<const Entry*>> edits;
  for (const Entry& entry : entries_) {
    if (entry.call.board == board && entry.call.verb == verb && entry.answer != Answer::refused &&
        !may_be_deleted(board, entry.call.task)) {
      edits[entry.call.task].push_back(&entry);
    }
  }
  for (const auto& [task, all] : edits) {
    const auto found = values.find(task);
    const std::string value = found == values.end() ? "none" : found->second;
    const auto overwritten = [&](std::int64_t ended) {
      return std::ranges::any_of(all, [&](const Entry* later) {
        return later->answer == Answer::done && later->call.begun > ended;
      });
    };
    const bool possible = std::ranges::any_of(all, [&](const Entry* entry) {
      return entry->call.value == value && !overwritten(entry->call.ended);
    });
    findings.check(possible || !overwritten(0), "the last acknowledged edit stands",
                   fmt::format("{} of {}, {}: {}", task, board, verb, value));
  }
}

void Ledger::check_tasks(const Facts& facts, const std::string& board, Findings& findings) const {
  for (const auto& id : tasks_.at(board)) {
    const bool there = facts.statuses.contains(id);
    findings.check(there || may_be_deleted(board, id), "a created task is there",
                   id + " of " + board);
    const auto deletion = deletions_.find({board, id});
    findings.check(!there || deletion == deletions_.end() || !deletion->second,
                   "a deleted task is gone", id + " of " + board);
  }
  for (const auto& [call, answer] : entries_) {
    if (call.board == board && call.verb == "archive" && answer == Answer::done) {
      const auto status = facts.statuses.find(call.task);
      findings.check(status == facts.statuses.end() || status->second == "archived",
                     "an archived task stays archived, or is deleted", told(call));
    }
  }
}

void Ledger::check(const Ground& ground, Findings& findings) const {
  for (const std::string& board : k_boards) {
    const Facts facts = facts_of(ground, board);
    for (const Entry& entry : entries_) {
      if (entry.call.board == board) {
        check_entry(ground, entry, facts, findings);
      }
    }
    check_links(facts, board, findings);
    check_unlinked(facts, board, findings);
    check_edits("priority", facts.priorities, board, findings);
    check_edits("reassign", facts.assignees, board, findings);
    check_tasks(facts, board, findings);
  }
}

}  // namespace hermes::churn
