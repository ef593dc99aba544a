#pragma once

#include "verbs/call.hpp"

namespace hermes::mcp {

// The program's host, but for what a terminal has and a server has not: input is what came with the
// call, and nothing is printed.
class CallHost final : public verbs::Host {
 public:
  // `directory`: Host::directory.
  CallHost(verbs::Host& program, db::Cancellation& cancellation, std::string directory,
           std::string input)
      : program_(program),
        cancellation_(cancellation),
        directory_(std::move(directory)),
        input_(std::move(input)) {}

  Instant now() override { return program_.now(); }
  HostIdentity identity() override { return program_.identity(); }
  std::string holder() override { return program_.holder(); }
  home::DispatcherState dispatcher_state(const home::Home& home) override {
    return program_.dispatcher_state(home);
  }
  Result<int> run_dispatcher(const std::vector<std::string>& arguments, Handover handover) override;
  std::string find_program(std::string_view name) override { return program_.find_program(name); }
  Result<ProgramEnd> run_program(const std::vector<std::string>& argv, Millis limit) override {
    return program_.run_program(argv, limit);
  }
  Result<home::ChildEnd> run_child(const home::ChildCommand& command, Millis limit) override {
    return program_.run_child(command, limit);
  }
  Result<void> start_dispatcher(const home::Home& home, const std::filesystem::path& log) override {
    return program_.start_dispatcher(home, log);
  }
  Result<void> stop_dispatcher(const home::Home& home, Millis limit) override {
    return program_.stop_dispatcher(home, limit);
  }
  std::optional<std::string> variable_of(pid_t pid, std::string_view name) override {
    return program_.variable_of(pid, name);
  }
  Result<std::string> read_input(std::size_t most) override;
  void begin(const verbs::Json&) override {}
  bool emit(const verbs::Json&) override { return false; }
  // A worker that is told to stop is not waited for: calls come one after the other.
  Woken wait_for(const db::GateWatch&, std::optional<Millis>) override { return Woken::stopped; }
  std::string directory() override { return directory_; }
  db::Cancellation* cancellation() override { return &cancellation_; }

 private:
  verbs::Host& program_;
  db::Cancellation& cancellation_;
  std::string directory_;
  std::string input_;
};

}  // namespace hermes::mcp
