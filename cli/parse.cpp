#include "cli/parse.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>

#include "cli/help.hpp"
#include "kernel/base/text.hpp"
#include "verbs/table.hpp"

namespace hermes::cli {

namespace {

using verbs::Argument;

std::unexpected<Misuse> misuse(std::string reason, std::string usage) {
  return std::unexpected(Misuse{std::move(reason), std::move(usage)});
}

// CLI11 2.1 takes a value "[a,b]" apart, and reads "--x=" as if its value were the next word. A
// value that carries this mark in front reaches us as it was typed. What begins with '-' needs
// none, and what comes after "--" is a value by that.
constexpr char k_mark = '\x01';

std::string marked(std::string_view value) { return k_mark + std::string(value); }

std::string unmarked(const std::string& value) {
  return !value.empty() && value.front() == k_mark ? value.substr(1) : value;
}

std::string without_marks(std::string text) {
  std::erase(text, k_mark);
  return text;
}

// The parser of one verb.
class VerbParser {
 public:
  explicit VerbParser(const verbs::Verb& verb) : verb_(verb) {
    app_.set_help_flag();
    board_ = app_.add_option("--board")->take_all();
    json_ = app_.add_flag("--json");
    help_ = app_.add_flag("-h,--help");
    version_ = app_.add_flag("--version");
    for (const Argument& argument : verb.arguments) {
      add(argument);
    }
  }

  std::expected<void, Misuse> read(std::span<const std::string> words, Request& request) {
    std::vector<std::string> prepared;
    if (auto done = prepare(words, prepared); !done) {
      return done;
    }
    // Asking for help must work whatever else is wrong with the line.
    if (std::ranges::any_of(
            prepared, [](const std::string& word) { return word == "--help" || word == "-h"; })) {
      request.help = true;
      return {};
    }
    std::ranges::reverse(prepared);
    try {
      app_.parse(prepared);
    } catch (const CLI::ExtrasError&) {
      return misuse(unexpected_word(), usage_of(verb_));
    } catch (const CLI::ArgumentMismatch& problem) {
      const std::string text = without_marks(problem.what());
      return misuse(text.substr(0, text.find(':')) + " needs a value", usage_of(verb_));
    } catch (const CLI::ParseError& problem) {
      return misuse(without_marks(problem.what()), usage_of(verb_));
    }
    return collect(request);
  }

 private:
  void add(const Argument& argument) {
    const std::string name(argument.name);
    if (argument.positional) {
      CLI::Option* option = app_.add_option(name)->take_all();
      options_.emplace_back(&argument, argument.repeatable ? option->expected(-1) : option);
      return;
    }
    std::string names = "--" + name;
    names += argument.alias.empty() ? "" : ",--" + std::string(argument.alias);
    names += argument.letter == 0 ? "" : std::string(",-") + argument.letter;
    if (argument.type == verbs::Type::boolean) {
      options_.emplace_back(&argument, app_.add_flag(names));
    } else {
      CLI::Option* option =
          app_.add_option(names)->take_all();  // verbs::check refuses one too many
      options_.emplace_back(&argument, argument.greedy ? option->expected(-1) : option);
    }
  }

  std::string unexpected_word() const {
    const std::vector<std::string> left = app_.remaining();
    const std::string word = left.empty() ? "" : unmarked(left.front());
    const std::string shown = printable(clip(word, 100));
    if (left.empty() || !left.front().starts_with('-')) {
      return fmt::format("one argument too many: '{}'", shown);
    }
    std::vector<std::string> flags = {"--board", "--json", "--help"};
    for (const Argument& argument : verb_.arguments) {
      if (!argument.positional) {
        flags.push_back("--" + std::string(argument.name));
      }
    }
    const std::string meant = did_you_mean(word, flags);
    return fmt::format("unknown option '{}'{}", shown,
                       meant.empty() ? "; a value that begins with '-' comes after '--'" : meant);
  }

  std::expected<void, Misuse> prepare(std::span<const std::string> words,
                                      std::vector<std::string>& out) const {
    bool only_values = false;
    for (const std::string& word : words) {
      if (only_values || word.size() < 2 || word.front() != '-') {
        out.push_back(marked(word));
      } else if (word == "--") {
        only_values = true;
        out.push_back(word);  // it also ends the values of a flag that takes several
      } else if (const auto equals = word.find('=');
                 word.starts_with("--") && equals != std::string::npos) {
        const std::string name = word.substr(0, equals);
        const CLI::Option* option = app_.get_option_no_throw(name);
        if (option != nullptr && option->get_items_expected_max() == 0) {
          return misuse(
              fmt::format("{} takes no value, it was given '{}'", name,
                          printable(clip(std::string_view(word).substr(equals + 1), 100))),
              usage_of(verb_));
        }
        out.push_back(name);
        out.push_back(marked(word.substr(equals + 1)));
      } else {
        out.push_back(word);
      }
    }
    return {};
  }

  std::expected<void, Misuse> collect(Request& request) const {
    if (board_->count() + (request.board ? 1 : 0) > 1) {
      return misuse("--board was given more than once", usage_of(verb_));
    }
    if (board_->count() == 1) {
      request.board = unmarked(board_->results().front());
    }
    request.json = request.json || json_->count() > 0;
    request.help = request.help || help_->count() > 0;
    request.version = request.version || version_->count() > 0;
    for (const auto& [argument, option] : options_) {
      if (argument->type == verbs::Type::boolean) {
        if (option->count() > 0) {
          request.values.add(argument->name, "true");
        }
        continue;
      }
      for (const std::string& value : option->results()) {
        request.values.add(argument->name, unmarked(value));
      }
    }
    return {};
  }

  const verbs::Verb& verb_;
  CLI::App app_;
  CLI::Option* board_ = nullptr;
  CLI::Option* json_ = nullptr;
  CLI::Option* help_ = nullptr;
  CLI::Option* version_ = nullptr;
  std::vector<std::pair<const Argument*, CLI::Option*>> options_;
};

std::string joined(std::string_view group, std::string_view word) {
  return group.empty() ? std::string(word) : fmt::format("{} {}", group, word);
}

// What may have been meant by a word that is no verb of the group: the same word elsewhere, or one
// that is nearly the same here.
std::string suggestion(std::string_view group, const std::string& word) {
  std::vector<std::string> here;
  const std::string elsewhere = group.empty() ? "kanban " : "";
  const std::string moved = elsewhere + word;
  const bool is_moved = verbs::find_group(moved) != nullptr ||
                        verbs::find_verb(group.empty() ? "kanban" : "", word) != nullptr;
  if (is_moved && moved != joined(group, word)) {
    return fmt::format("; meant is perhaps `hermes {}`", moved);
  }
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.group == group && !verb.properties.hidden) {
      here.emplace_back(verb.name);
    }
  }
  for (const verbs::Group& other : verbs::all_groups()) {
    const std::string_view name = other.name;
    if (!name.empty() && (group.empty() || name.starts_with(joined(group, "")))) {
      const std::string_view rest = name.substr(group.empty() ? 0 : group.size() + 1);
      if (!rest.empty() && rest.find(' ') == std::string_view::npos) {
        here.emplace_back(rest);
      }
    }
  }
  return did_you_mean(word, here);
}

// The words before the verb. True when `word` (and perhaps the next) was one of the flags that may
// stand anywhere.
std::expected<bool, Misuse> take_global(std::span<const std::string> words, std::size_t& at,
                                        Request& request) {
  const std::string& word = words[at];
  if (word == "--json") {
    request.json = true;
  } else if (word == "--help" || word == "-h") {
    request.help = true;
  } else if (word == "--version" || word == "-V") {
    request.version = true;
  } else if (word == "--board" || word.starts_with("--board=")) {
    if (request.board) {
      return misuse("--board was given more than once", usage_of(request.group));
    }
    if (word != "--board") {
      request.board = word.substr(std::string_view("--board=").size());
    } else if (++at < words.size()) {
      request.board = words[at];
    } else {
      return misuse("--board needs the name of a board", usage_of(request.group));
    }
  } else {
    return false;
  }
  ++at;
  return true;
}

std::expected<Request, Misuse> read_verb(std::span<const std::string> words, Request request) {
  VerbParser parser(*request.verb);
  if (auto read = parser.read(words, request); !read) {
    return std::unexpected(std::move(read).error());
  }
  if (request.board && !verbs::takes_board(*request.verb)) {
    return misuse("--board says which board `hermes kanban` means, and has no meaning here",
                  usage_of(*request.verb));
  }
  return request;
}

}  // namespace

std::expected<Request, Misuse> parse(const std::vector<std::string>& words) {
  Request request;
  std::size_t at = 0;
  while (at < words.size()) {
    const auto taken = take_global(words, at, request);
    if (!taken) {
      return std::unexpected(taken.error());
    }
    if (*taken) {
      continue;
    }
    const std::string& word = words[at];
    if (const auto* group = verbs::find_group(joined(request.group, word)); group != nullptr) {
      request.group = group->name;
      ++at;
      continue;
    }
    const bool is_option = word.starts_with('-');
    // Flags of the verb that the group alone stands for.
    request.verb = verbs::find_verb(
        request.group, is_option ? verbs::find_group(request.group)->default_verb : word);
    if (request.verb == nullptr) {
      const std::string shown = printable(clip(word, 100));
      return is_option ? misuse(fmt::format("unknown option '{}' before the verb", shown),
                                usage_of(request.group))
                       : misuse(fmt::format("unknown verb '{}'{}", shown,
                                            suggestion(request.group, word)),
                                usage_of(request.group));
    }
    at += is_option ? 0 : 1;
    return read_verb(std::span(words).subspan(at), std::move(request));
  }
  const std::string_view default_verb = verbs::find_group(request.group)->default_verb;
  if (!request.help && !request.version && !default_verb.empty()) {
    request.verb = verbs::find_verb(request.group, default_verb);
    return read_verb({}, std::move(request));
  }
  return request;
}

}  // namespace hermes::cli
