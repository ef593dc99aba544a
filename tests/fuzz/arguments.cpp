// Argument vectors: the parser of `hermes` and the judgement of its values, and the parser of
// hermes-dispatcher. Nothing is carried out.
#include "cli/help.hpp"
#include "cli/parse.hpp"
#include "daemon/command_line/options.hpp"
#include "fuzz/harness.hpp"
#include "kernel/base/text.hpp"
#include "verbs/table.hpp"

using namespace hermes;
using fuzz::require;

namespace {

// A call as words that mean it and nothing else.
std::vector<std::string> written(const cli::Request& request) {
  std::vector<std::string> words;
  const std::string command = cli::command_of(*request.verb);
  for (std::string& word : split_list(command, ' ')) {
    words.push_back(std::move(word));
  }
  words.erase(words.begin());  // "hermes"
  if (request.json) {
    words.emplace_back("--json");
  }
  if (request.board) {
    words.push_back("--board=" + *request.board);
  }
  std::vector<std::string> positionals = {"--"};
  for (const verbs::Argument& argument : request.verb->arguments) {
    for (const std::string& value : request.values.list(argument.name)) {
      if (argument.positional) {
        positionals.push_back(value);
      } else if (argument.type == verbs::Type::boolean) {
        words.push_back("--" + std::string(argument.name));
      } else {
        words.push_back("--" + std::string(argument.name) + "=" + value);
      }
    }
  }
  words.insert(words.end(), positionals.begin(), positionals.end());
  return words;
}

void check_hermes(const std::vector<std::string>& words, std::string_view input) {
  const auto request = cli::parse(words);
  if (!request) {
    fuzz::require_told(printable(request.error().reason));
    fuzz::require_told(printable(request.error().usage));
    return;
  }
  if (request->verb == nullptr || request->help || request->version) {
    return;
  }
  const auto judged = verbs::check(*request->verb, request->values);
  fuzz::require_told(judged);
  if (!judged) {
    return;
  }
  const auto again = cli::parse(written(*request));
  require(again && again->verb == request->verb && again->board == request->board &&
              again->json == request->json && again->values.all() == request->values.all(),
          "a call that is written out again is the same call", input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const std::vector<std::string> words = fuzz::words_of(input);
  check_hermes(words, input);
  fuzz::require_told(daemon::parse_options(words));
  return 0;
}
