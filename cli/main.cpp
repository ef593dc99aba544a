#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <exception>

#include "cli/help.hpp"
#include "cli/host.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/terminal.hpp"
#include "kernel/base/text.hpp"
#include "verbs/table.hpp"

namespace hermes::cli {

namespace {

constexpr int k_usage = 2;

void tell(std::string_view speaker, const Error& error) {
  std::string text = fmt::format("{}: {}\n", speaker, printable(error.message));
  if (!error.hint.empty()) {
    text += fmt::format("  → {}\n", printable(error.hint));
  }
  put_err(text);
}

int misused(const Misuse& misuse) {
  put_err(fmt::format("hermes: {}\n{}\n", printable(misuse.reason), misuse.usage));
  return k_usage;
}

// JSON Lines, in ASCII.
std::string json_lines(const verbs::Json& value) {
  std::string out;
  for (const verbs::Json& item : items_of(value)) {
    out += item.dump(-1, ' ', true, verbs::Json::error_handler_t::replace) + "\n";
  }
  return out;
}

std::string printed(const verbs::Verb& verb, const verbs::Answer& answer, bool json) {
  if (verb.properties.streams || verb.properties.runs_dispatcher || verb.properties.serves) {
    return "";
  }
  if (json && verb.properties.json_lines) {
    return json_lines(answer.value);
  }
  if (json) {
    return printable_json(answer.value.dump(2, ' ', false, verbs::Json::error_handler_t::replace)) +
           "\n";
  }
  const Printer printer = printer_of(verb);
  return printer == nullptr ? "" : printer(answer, style_of_output());
}

// A success is printed only now: the handler returned after its commit.
int report(const verbs::Verb& verb, const verbs::Answer& answer, std::string_view speaker,
           bool json) {
  const bool taken = put_out(printed(verb, answer, json));
  for (const Error& failure : answer.failures) {
    tell(speaker, failure);
  }
  for (const std::string& line : answer.advice) {
    put_err(printable(line) + "\n");
  }
  for (const std::string& line : json ? std::vector<std::string>{} : answer.people_advice) {
    put_err(printable(line) + "\n");
  }
  if (!taken && out_failed()) {
    put_err(fmt::format("{}: standard output could not be written; what was asked for is done\n",
                        speaker));
    return 1;
  }
  return answer.exit_status;
}

int run_verb(Request& request) {
  const verbs::Verb& verb = *request.verb;
  const std::string speaker(verb.group.empty() ? "hermes" : verb.group);
  if (auto checked = verbs::check(verb, request.values); !checked) {
    tell(speaker, checked.error());
    return traits(checked.error().code).exit_status;
  }
  const verbs::Environment from = environment();
  TerminalHost host(request.json);
  SystemRandom random;
  verbs::Call call{
      verb, std::move(request.values), std::move(request.board), request.json, from, host, random};
  const auto answer = verbs::perform(call);
  if (!answer) {
    tell(speaker, answer.error());
    return traits(answer.error().code).exit_status;
  }
  return report(verb, *answer, speaker, request.json);
}

int run(int argc, char** argv) {
  auto request = parse(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  if (!request) {
    return misused(request.error());
  }
  if (request->help || (request->verb == nullptr && !request->version)) {
    const std::size_t columns = help_columns(STDOUT_FILENO);
    put_out(request->verb == nullptr ? help_of(request->group, columns)
                                     : help_of(*request->verb, columns));
    return 0;
  }
  if (request->version) {
    request->verb = verbs::find_verb("", "version");
    request->values = {};
  }
  return run_verb(*request);
}

}  // namespace

}  // namespace hermes::cli

int main(int argc, char* argv[]) {
  hermes::reserve_standard_descriptors();
  hermes::keep_rights_of_owner();
  ::signal(SIGPIPE, SIG_IGN);  // a reader that left is a return value
  ::signal(SIGCHLD, SIG_DFL);  // ignored by who started us, it would hide how children end
  try {
    return hermes::cli::run(argc, argv);
  } catch (const std::exception& problem) {
    hermes::cli::put_err("hermes: unexpected: " + hermes::printable(problem.what()) + "\n");
  } catch (...) {
    hermes::cli::put_err("hermes: unexpected failure\n");
  }
  return 1;
}
