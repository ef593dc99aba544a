#pragma once

#include <chrono>
#include <optional>

#include "kernel/base/fd.hpp"
#include "verbs/call.hpp"

namespace hermes::cli {

// The variables and the time of this call.
verbs::Environment environment();

// The terminal, the signals and the other programs of ours, for the verbs.
class TerminalHost final : public verbs::Host {
 public:
  explicit TerminalHost(bool json) : json_(json) {}

  Instant now() override { return wall_clock_now(); }
  HostIdentity identity() override { return this_host(); }
  std::string holder() override;
  home::DispatcherState dispatcher_state(const home::Home& home) override;
  Result<int> run_dispatcher(const std::vector<std::string>& arguments, Handover handover) override;
  Result<int> serve_agents(bool orchestrator) override;
  std::string find_program(std::string_view name) override;
  Result<ProgramEnd> run_program(const std::vector<std::string>& argv, Millis limit) override;
  Result<home::ChildEnd> run_child(const home::ChildCommand& command, Millis limit) override;
  Result<int> run_attached(const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment) override;
  Result<void> edit(const std::filesystem::path& file) override;
  Result<void> start_dispatcher(const home::Home& home, const std::filesystem::path& log) override;
  Result<void> stop_dispatcher(const home::Home& home, Millis limit) override;
  std::optional<std::string> variable_of(pid_t pid, std::string_view name) override;
  Result<std::string> read_input(std::size_t most) override;
  void begin(const verbs::Json& facts) override;
  bool emit(const verbs::Json& item) override;
  Result<void> begin_screen() override;
  Screen screen() override;
  bool draw(const verbs::Json& picture) override;
  void end_screen() override;
  Woken wait_for(const db::GateWatch& watch, std::optional<Millis> limit) override;
  void give_up_after(Millis limit) override;

 private:
  bool put_in_stream(std::string_view text);
  void redress_screen();

  bool json_;
  // From `begin` on SIGINT and SIGTERM arrive here: blocked, so that they end the stream between
  // two items and also while its reader is slow.
  Fd signals_;
  // While pictures are drawn: SIGWINCH and SIGTSTP, after which the picture is drawn anew.
  Fd screen_signals_;
  std::optional<std::chrono::steady_clock::time_point> drawn_at_;
  bool on_screen_ = false;
};

}  // namespace hermes::cli
