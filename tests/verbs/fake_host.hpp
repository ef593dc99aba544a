#pragma once

#include <deque>
#include <functional>

#include "support/temp_dir.hpp"
#include "verbs/call.hpp"
#include "verbs/table.hpp"

namespace hermes::test {

// The world around a verb, as a test wants it.
class FakeHost final : public verbs::Host {
 public:
  Instant now() override { return time; }
  HostIdentity identity() override { return {"machine", "boot"}; }
  std::string holder() override { return "holder"; }
  home::DispatcherState dispatcher_state(const home::Home&) override { return dispatcher; }
  Result<int> run_dispatcher(const std::vector<std::string>& arguments, Handover) override {
    dispatcher_calls.push_back(arguments);
    return on_run ? on_run() : Result<int>(0);
  }
  std::string find_program(std::string_view name) override { return "/bin/" + std::string(name); }
  Result<ProgramEnd> run_program(const std::vector<std::string>& argv, Millis) override {
    programs_run.push_back(argv);
    return on_program ? on_program(argv)
                      : Result<ProgramEnd>(fail(ErrorCode::unavailable, "no such program"));
  }
  Result<home::ChildEnd> run_child(const home::ChildCommand& command, Millis) override {
    children.push_back(command);
    return on_child
               ? on_child(command)
               : home::ChildEnd{
                     .kind = home::ChildEnd::Kind::not_started, .code = 2, .out = {}, .err = {}};
  }
  Result<void> start_dispatcher(const home::Home&, const std::filesystem::path&) override {
    dispatcher = {true, false, 42, now()};
    return {};
  }
  Result<void> stop_dispatcher(const home::Home&, Millis) override {
    dispatcher = {};
    return {};
  }
  std::optional<std::string> variable_of(pid_t, std::string_view) override { return std::nullopt; }
  Result<std::string> read_input(std::size_t) override { return input; }
  void begin(const verbs::Json& facts) override { begun = facts; }
  bool emit(const verbs::Json& item) override {
    emitted.push_back(item);
    return emitted.size() < most_emitted;
  }
  Woken wait_for(const db::GateWatch& watch, std::optional<Millis> limit) override;

  Instant time{1'000'000};
  std::vector<home::ChildCommand> children;
  std::function<home::ChildEnd(const home::ChildCommand&)> on_child;
  home::DispatcherState dispatcher;
  std::vector<std::vector<std::string>> dispatcher_calls;
  std::function<Result<int>()> on_run;
  std::vector<std::vector<std::string>> programs_run;
  std::function<Result<ProgramEnd>(const std::vector<std::string>&)> on_program;
  std::string input;
  verbs::Json begun;
  std::vector<verbs::Json> emitted;
  std::size_t most_emitted = 1000;
  std::deque<std::function<void()>>
      while_waiting;  // one for each wait; none left: the call is to end
};

// A home with a default board, and calls of verbs on it without a command line.
class VerbRig {
 public:
  explicit VerbRig(TempDir::Storage storage = TempDir::Storage::disk);

  // Positional and flags by name: {"title", "x"}.
  Result<verbs::Answer> call(std::string_view verb,
                             const std::vector<std::pair<std::string, std::string>>& given,
                             bool json = true);
  Result<verbs::Answer> call(const verbs::Verb& row, verbs::Values values, bool json = true);
  std::string create(const std::string& title,
                     std::vector<std::pair<std::string, std::string>> more = {});

  home::Home home() const { return home::Home{dir_ / "home"}; }

  FakeHost host;
  verbs::Environment environment;

 private:
  TempDir dir_;
  SeededRandom random_{7};
};

}  // namespace hermes::test
