#include "verbs/fake_host.hpp"

#include <stdexcept>

namespace hermes::test {

verbs::Host::Woken FakeHost::wait_for(const db::GateWatch& watch, std::optional<Millis>) {
  if (while_waiting.empty()) {
    return Woken::stopped;
  }
  const auto act = while_waiting.front();
  while_waiting.pop_front();
  act();
  return watch.wait(10'000) ? Woken::changed : Woken::timeout;
}

VerbRig::VerbRig(TempDir::Storage storage) : dir_(storage) {
  environment.variables = {
      {"HERMES_HOME", (dir_ / "home").string()}, {"USER", "tester"}, {"PATH", "/usr/bin:/bin"}};
  environment.now = {1'700'000'000'000};
  const verbs::Verb& init = *verbs::find_verb("", "init");
  verbs::Call made{init, {}, std::nullopt, true, environment, host, random_};
  if (!verbs::perform(made)) {
    throw std::runtime_error("init failed");
  }
}

Result<verbs::Answer> VerbRig::call(std::string_view verb,
                                    const std::vector<std::pair<std::string, std::string>>& given,
                                    bool json) {
  const verbs::Verb& row = *verbs::find_verb("kanban", verb);
  verbs::Values values;
  for (const auto& [name, value] : given) {
    values.add(name, value);
  }
  return call(row, std::move(values), json);
}

Result<verbs::Answer> VerbRig::call(const verbs::Verb& row, verbs::Values values, bool json) {
  TRY(verbs::check(row, values));
  environment.now.ms += 1000;
  verbs::Call made{row, std::move(values), std::nullopt, json, environment, host, random_};
  return verbs::perform(made);
}

std::string VerbRig::create(const std::string& title,
                            std::vector<std::pair<std::string, std::string>> more) {
  more.emplace_back("title", title);
  const auto answer = call("create", more);
  if (!answer) {
    throw std::runtime_error(answer.error().message);
  }
  return answer->value["id"];
}

}  // namespace hermes::test
