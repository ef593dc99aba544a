#include "churn/clients.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>

namespace hermes::churn {

namespace {

constexpr std::chrono::seconds k_longest_call{60};  // gate_wait is 30 s
constexpr int k_another_dispatcher = 3;

}  // namespace

void check_words(const std::string& text, const std::string& whose, Findings& findings) {
  for (const char* word :
       {"nternal", "terminate called", "Sanitizer", "runtime error", "ssertion",
        "database is locked", "busy", "damaged", "malformed", "I/O error", "nput/output error",
        "disk", "annot open", "annot read", "annot write", "ermission denied", "No space"}) {
    if (const auto at = text.find(word); at != std::string::npos) {
      findings.add(fmt::format("nobody is told '{}'", word),
                   whose + ": " + text.substr(at < 200 ? 0 : at - 200, 400));
    }
  }
}

Clients::Clients(const Ground& ground, Findings& findings, Random& random, int number)
    : ground_(ground), findings_(findings), random_(random), verbs_(ground, ledger_) {
  for (int i = 0; i < number; ++i) {
    clients_.emplace_back().number = clients_.size();
  }
}

fs::path Clients::file(const Client& client, const char* stream) const {
  return ground_.path(fmt::format("clients/{}.{}", client.number, stream));
}

void Clients::begin(Client& client, bool may_create) {
  client.call = verbs_.next(random_, may_create);
  client.killed = false;
  client.interrupted = false;
  client.since = Clock::now();
  client.length = Millis{random_() % 500};
  auto environment = ground_.environment();
  environment.insert(client.call.environment.begin(), client.call.environment.end());
  fs::remove(file(client, "out"));
  fs::remove(file(client, "err"));
  ledger_.begin(client.call);
  client.program.emplace(CHURN_HERMES, client.call.words, environment, file(client, "out"),
                         file(client, "err"));
  ++begun;
}

void Clients::interrupt_if_due(Client& client, bool go_on) {
  const auto age = Clock::now() - client.since;
  if (client.call.streams && !client.interrupted && (age > client.length || !go_on)) {
    client.program->signal(SIGINT);
    client.interrupted = true;
  }
  if (age > k_longest_call) {
    findings_.add("every command ends", fmt::format("{}", fmt::join(client.call.words, " ")));
    client.program->signal(SIGKILL);
    client.killed = true;
  }
}

// By a client that has said so, or that has not been asked yet what came of it.
bool Clients::may_be_deleted(const Call& call) const {
  return ledger_.may_be_deleted(call.board, call.task) ||
         std::ranges::any_of(clients_, [&](const Client& other) {
           return other.program && other.call.verb == "delete" && other.call.board == call.board &&
                  other.call.task == call.task;
         });
}

void Clients::judge(const Client& client, int status, const std::string& out,
                    const std::string& err) {
  const Call& call = client.call;
  const std::string what =
      fmt::format("exit status {} of {}: {}", status, fmt::join(call.words, " "), err);
  check_words(err, fmt::format("{}", fmt::join(call.words, " ")), findings_);
  const bool stopped = client.interrupted && status == 128 + SIGINT;
  findings_.check(status == 0 || status == 1 || stopped ||
                      (status == k_another_dispatcher && call.verb == "dispatch"),
                  "a command ends with a documented status", what);
  findings_.check(status == 0 || stopped || !call.must_succeed || may_be_deleted(call),
                  "reading goes on whatever is killed", what);
  if (status == 0 && std::ranges::count(call.words, "--json") > 0 && !call.streams) {
    findings_.check(nlohmann::json::accept(out), "an answer is JSON", what + out);
  }
}

void Clients::take_up(Client& client, int status) {
  const std::string out = daemon::test::text_of(file(client, "out"));
  const std::string err = daemon::test::text_of(file(client, "err"));
  client.program.reset();
  // One that had ended before the signal came has said what it did all the same.
  if (client.killed && status == 128 + SIGKILL) {
    ledger_.end(client.call, Answer::killed, {});
    return;
  }
  judge(client, status, out, err);
  const auto said = nlohmann::json::parse(out, nullptr, false);
  ledger_.end(client.call, status == 0 ? Answer::done : Answer::refused, said);
}

void Clients::turn(bool go_on, bool may_create) {
  for (Client& client : clients_) {
    if (client.program) {
      interrupt_if_due(client, go_on);
      if (const auto status = client.program->wait(Millis{0})) {
        take_up(client, *status);
      }
    }
    if (!client.program && go_on) {
      begin(client, may_create);
    }
  }
}

void Clients::kill_one() {
  Client& client = clients_[random_() % clients_.size()];
  if (client.program) {
    client.program->signal(SIGKILL);
    client.killed = true;
  }
}

bool Clients::idle() const {
  return std::ranges::none_of(clients_, [](const Client& one) { return one.program.has_value(); });
}

std::vector<pid_t> Clients::pids() const {
  std::vector<pid_t> all;
  for (const Client& one : clients_) {
    if (one.program) {
      all.push_back(one.program->pid());
    }
  }
  return all;
}

}  // namespace hermes::churn
