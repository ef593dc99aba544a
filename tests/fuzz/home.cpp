#include "fuzz/home.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <fstream>

#include "cli/parse.hpp"
#include "cli/print.hpp"
#include "fuzz/harness.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::fuzz {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_settings =
    "[planner]\ncommand = [\"sh\"]\n[dispatcher]\ngate_wait = \"2s\"\n";

// A path of a call must lie among the files that are thrown away, so each begins with "@/" and none
// goes up. Nothing when the word names another.
std::optional<std::string> without_strange_paths(const std::string& word, const fs::path& files) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word.compare(i, 2, "@/") == 0) {
      out += files.string() + "/";
      ++i;
    } else if (word[i] == '/' || word.compare(i, 2, "..") == 0) {
      return std::nullopt;
    } else {
      out += word[i];
    }
  }
  return out;
}

// What takes long by design, or is another program's work.
bool is_left_out(const verbs::Verb& verb) {
  return verb.name == "selftest" || verb.properties.controls_dispatcher;
}

void require_shown(const verbs::Verb& verb, const verbs::Answer& answer, bool json) {
  for (const Error& failure : answer.failures) {
    require_told(failure);
  }
  for (const std::string& line : answer.advice) {
    require_told(printable(line));
  }
  for (const std::string& line : answer.people_advice) {
    require_told(printable(line));
  }
  if (json) {
    answer.value.dump(2, ' ', false, verbs::Json::error_handler_t::replace);
    return;
  }
  const cli::Printer print = cli::printer_of(verb);
  if (print == nullptr || verb.properties.streams || verb.properties.runs_dispatcher) {
    return;
  }
  const std::string text = print(answer, {.terminal = true, .columns = 80});
  require(printable_lines(text) == text, "people are shown no control characters", text);
}

}  // namespace

ThrowAwayHome::ThrowAwayHome() {
  fs::create_directory(files());
  // A relative path that slips through must not lead into the tree of the sources.
  require(::chdir(files().c_str()) == 0, "the directory of the files can be entered");
  start();
  fill();
  copy_tree(home().dir, dir_ / "template");
  copy_tree(files(), dir_ / "template_files");
}

void ThrowAwayHome::start() {
  environment.variables = {{"HERMES_HOME", home().dir.string()},
                           {"HOME", files().string()},
                           {"USER", "tester"},
                           {"PATH", "/usr/bin:/bin"}};
  environment.now = {1'700'000'000'000};
  host = {};
  host.time = environment.now;
  host.on_child = [this](const home::ChildCommand&) {
    home::ChildEnd end;
    end.out = planner_answer;
    return end;
  };
  random_ = SeededRandom{7};
  planner_answer.clear();
}

void ThrowAwayHome::renew() {
  fs::remove_all(home().dir);
  fs::remove_all(files());
  copy_tree(dir_ / "template", home().dir);
  copy_tree(dir_ / "template_files", files());
  require(::chdir(files().c_str()) == 0, "the directory of the files can be entered");
  start();
  random_ = SeededRandom{8};  // a new task is no old one
}

std::string ThrowAwayHome::make(const std::vector<std::string>& words) {
  const auto answer = call(words);
  require(answer && *answer, "the home can be filled", join(words, " "));
  const verbs::Json& value = (*answer)->value;
  return value.is_object() && value.contains("id") ? value["id"].get<std::string>() : "";
}

void ThrowAwayHome::fill() {
  make({"init"});
  std::ofstream(home().config()) << k_settings;
  make({"kanban", "boards", "create", "other"});
  const auto create = [&](const std::string& title, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"kanban", "create", title});
    ids_[title] = make(more);
    return ids_[title];
  };
  const std::string parent = create("parent", {"--priority", "3", "--body", "words\nmore words"});
  create("child", {"--parent", parent});
  create("rough", {"--triage"});
  create("given", {"--assignee", "shell", "--tenant", "acme"});
  make({"kanban", "block", create("stuck"), "no", "key"});
  make({"kanban", "claim", create("running", {"--assignee", "ann"})});
  const std::string done = create("done");
  make({"kanban", "complete", done, "--summary", "it is", "--metadata", R"({"a": [1, "b"]})"});
  make({"kanban", "archive", create("archived")});
  make({"kanban", "comment", parent, "a comment"});
  std::ofstream(files() / "file.txt") << "text\n";
}

std::optional<Result<verbs::Answer>> ThrowAwayHome::call(const std::vector<std::string>& words) {
  std::vector<std::string> tame;
  for (const std::string& word : words) {
    const auto safe = without_strange_paths(word, files());
    if (!safe) {
      return std::nullopt;
    }
    const auto id = safe->starts_with('%') ? ids_.find(safe->substr(1)) : ids_.end();
    tame.push_back(id == ids_.end() ? *safe : id->second);
  }
  auto request = cli::parse(tame);
  if (!request || request->verb == nullptr || request->help || request->version ||
      is_left_out(*request->verb)) {
    return std::nullopt;
  }
  const verbs::Verb& verb = *request->verb;
  if (const auto judged = verbs::check(verb, request->values); !judged) {
    require_told(judged);
    return std::unexpected(judged.error());
  }
  environment.now.ms += 1000;
  host.time = environment.now;
  verbs::Call made{verb,
                   std::move(request->values),
                   std::move(request->board),
                   request->json,
                   environment,
                   host,
                   random_};
  auto answer = verbs::perform(made);
  require_told(answer);
  if (answer) {
    require_shown(verb, *answer, made.json);
  }
  return answer;
}

void ThrowAwayHome::require_sound() const {
  for (const std::string& slug : home::list_boards(home())) {
    auto board = db::Database::open(home::files_of(home().board(slug)), db::Database::Access::read,
                                    environment.now);
    require(board.has_value(), "a board stays a board", slug);
    const auto broken = board->read([](db::Reader& tx) {
      return Result<std::vector<std::string>>(board::check_invariants(tx));
    });
    require(broken.has_value(), "a board can be read", slug);
    require(broken->empty(), "the invariants hold", broken->empty() ? "" : broken->front());
  }
}

}  // namespace hermes::fuzz
