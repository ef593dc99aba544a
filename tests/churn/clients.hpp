#pragma once

#include <deque>
#include <optional>

#include "churn/verbs.hpp"
#include "daemon/programs.hpp"

namespace hermes::churn {

// So many clients at once, each a process of `hermes` after the other.
class Clients {
 public:
  Clients(const Ground& ground, Findings& findings, Random& random, int number);

  // Takes up what has ended, and lets the next begin.
  void turn(bool go_on, bool may_create);
  void kill_one();
  bool idle() const;
  std::vector<pid_t> pids() const;
  const Ledger& ledger() const { return ledger_; }

  int begun = 0;

 private:
  struct Client {
    std::size_t number = 0;
    Call call;
    std::optional<daemon::test::Program> program;
    Clock::time_point since;
    Millis length{0};  // of one that streams
    bool killed = false;
    bool interrupted = false;
  };

  void begin(Client& client, bool may_create);
  void interrupt_if_due(Client& client, bool go_on);
  void take_up(Client& client, int status);
  bool may_be_deleted(const Call& call) const;
  void judge(const Client& client, int status, const std::string& out, const std::string& err);
  fs::path file(const Client& client, const char* stream) const;

  const Ground& ground_;
  Findings& findings_;
  Random& random_;
  Ledger ledger_;
  Verbs verbs_;
  std::deque<Client> clients_;
};

// Words that no user is ever to read on standard error.
void check_words(const std::string& text, const std::string& whose, Findings& findings);

}  // namespace hermes::churn
