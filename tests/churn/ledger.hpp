#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "churn/ground.hpp"

namespace hermes::churn {

// A command that a client runs.
struct Call {
  std::string verb;
  std::string board;
  std::vector<std::string> words;  // what follows `hermes`
  std::map<std::string, std::string> environment;
  std::string task;           // what it is about
  std::string child;          // link and unlink
  std::string tag;            // a text that no other call writes
  std::string value;          // of an edit, or the run that was claimed
  bool must_succeed = false;  // unless its task was deleted
  bool streams = false;       // goes on until it is interrupted
  std::int64_t begun = 0;     // moments of the ledger's own clock
  std::int64_t ended = 0;
};

enum class Answer { done, refused, killed };

struct HandRun {
  std::string board, task, run, token;
};

// What the clients were told, to be compared with the board at the end.
class Ledger {
 public:
  void begin(Call& call) { call.begun = ++clock_; }
  void end(Call call, Answer answer, const nlohmann::json& said);

  const std::vector<std::string>& tasks(const std::string& board) const { return tasks_.at(board); }
  // Parents and children that were linked at some time.
  const std::vector<std::pair<std::string, std::string>>& links(const std::string& board) const {
    return links_.at(board);
  }
  std::vector<HandRun>& hand_runs() { return hand_runs_; }
  // Tasks of which this verb has succeeded, the newest last.
  const std::vector<std::string>& tasks_after(const std::string& board, const std::string& verb) {
    return after_[{board, verb}];
  }
  bool may_be_deleted(const std::string& board, const std::string& task) const {
    return deletions_.contains({board, task});
  }

  void check(const Ground& ground, Findings& findings) const;

  std::map<std::string, int> succeeded;  // by verb
  int done = 0;
  int writes = 0;  // of those that were done
  int refused = 0;
  int killed = 0;

 private:
  using Key = std::pair<std::string, std::string>;  // of a deletion: board and task
  struct Entry {
    Call call;
    Answer answer = Answer::killed;
  };

  // What is on a board at the end.
  struct Facts {
    std::set<std::string> tags;
    std::map<Key, int> comments;  // by task and text
    std::set<Key> links;          // parent and child
    std::map<std::string, std::string> statuses;
    std::map<std::string, std::string> priorities;
    std::map<std::string, std::string> assignees;
    std::set<Key> runs;  // task and run
  };

  void note_created(const Call& call, const nlohmann::json& said);
  static Facts facts_of(const Ground& ground, const std::string& board);
  void check_entry(const Ground& ground, const Entry& entry, const Facts& facts,
                   Findings& findings) const;
  void check_links(const Facts& facts, const std::string& board, Findings& findings) const;
  void check_unlinked(const Facts& facts, const std::string& board, Findings& findings) const;
  void check_edits(const std::string& verb, const std::map<std::string, std::string>& values,
                   const std::string& board, Findings& findings) const;
  void check_tasks(const Facts& facts, const std::string& board, Findings& findings) const;

  std::int64_t clock_ = 0;
  std::vector<Entry> entries_;  // of calls that write
  std::map<std::string, std::vector<std::string>> tasks_{{k_boards[0], {}}, {k_boards[1], {}}};
  std::map<std::string, std::vector<Key>> links_{{k_boards[0], {}}, {k_boards[1], {}}};
  std::map<Key, bool> deletions_;  // whether it was acknowledged
  std::vector<HandRun> hand_runs_;
  std::map<Key, std::vector<std::string>> after_;  // by board and verb
};

}  // namespace hermes::churn
