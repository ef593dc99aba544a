// Completion: what may stand where somebody types. The shells' scripts call `hermes __complete`
// with the words so far, and show what it answers.
#include <algorithm>
#include <array>

#include "kernel/base/text.hpp"
#include "kernel/board/names.hpp"
#include "kernel/home/profile.hpp"
#include "kernel/rules/moves.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"
#include "verbs/scripts.hpp"
#include "verbs/table.hpp"

namespace hermes::verbs {

namespace {

constexpr std::int64_t k_most_tasks = 200;
constexpr std::size_t k_description_columns = 60;
constexpr Millis k_patience{1000};

struct Offer {
  std::string value;
  std::string description;
};

struct Offers {
  std::vector<Offer> list;
  bool files = false;  // the shell completes paths by itself
};

// The line before the word under the cursor.
class Line {
 public:
  void read(const std::string& word) {
    if (only_values_) {
      positionals.push_back(word);
    } else if (waiting != nullptr && !(waiting->greedy && word.starts_with('-'))) {
      take(word);
    } else if (word == "--") {
      only_values_ = true;
      waiting = nullptr;
    } else if (word.size() > 1 && word.front() == '-') {
      waiting = nullptr;
      read_flag(word);
    } else {
      waiting = nullptr;
      read_word(word);
    }
  }

  bool may_be_flag() const { return !only_values_ && (waiting == nullptr || waiting->greedy); }
  const std::vector<Argument>& flags() const { return flags_; }
  // Before the verb --board is understood wherever it stands.
  const Argument* flag(std::string_view name) const {
    for (const std::vector<Argument>* flags : {&flags_, verb == nullptr ? &early_ : &flags_}) {
      for (const Argument& argument : *flags) {
        if (argument.name == name || (!argument.alias.empty() && argument.alias == name)) {
          return &argument;
        }
      }
    }
    return nullptr;
  }
  bool is_given(const Argument& argument) const {
    return std::ranges::find(given_, argument.name) != given_.end();
  }
  // The argument that the next word without a dash belongs to.
  const Argument* positional() const {
    std::size_t left = positionals.size();
    for (const Argument& argument : verb->arguments) {
      if (argument.positional && (argument.repeatable || left-- == 0)) {
        return &argument;
      }
    }
    return nullptr;
  }

  const Group* group = find_group("");
  const Verb* verb = nullptr;
  const Argument* waiting = nullptr;  // a flag whose value comes next
  std::optional<std::string> board;
  std::vector<std::string> positionals;
  bool about = false;  // after `help`: words name what it is about
  bool lost = false;   // a word that means nothing

 private:
  void take(const std::string& value) {
    if (waiting->name == "board") {
      board = value;
    }
    waiting = waiting->greedy ? waiting : nullptr;
  }

  void read_flag(const std::string& word) {
    if (!word.starts_with("--")) {
      for (const Argument& argument : flags_) {
        if (argument.letter != 0 && word.find(argument.letter) != std::string::npos) {
          given_.push_back(argument.name);
        }
      }
      return;
    }
    const auto equals = word.find('=');
    const Argument* found = flag(std::string_view(word).substr(2, equals - 2));
    if (found == nullptr) {
      return;
    }
    given_.push_back(found->name);
    if (found->type == Type::boolean) {
      return;
    }
    waiting = found;
    if (equals != std::string::npos) {
      take(word.substr(equals + 1));
      waiting = nullptr;
    }
  }

  void read_word(const std::string& word) {
    if (verb != nullptr) {
      lost = lost || about;
      positionals.push_back(word);
      return;
    }
    const std::string joined = group->name.empty() ? word : std::string(group->name) + " " + word;
    if (const Group* inner = find_group(joined); inner != nullptr) {
      group = inner;
    } else if (const Verb* found = find_verb(group->name, word);
               found != nullptr && found->handler == help) {
      about = true;
    } else if (found != nullptr) {
      verb = found;
    } else {
      lost = true;
    }
    flags_ = verb != nullptr ? flags_of(*verb) : flags_of(*group);
  }

  std::vector<Argument> flags_ = flags_of(*find_group(""));
  const std::vector<Argument> early_ = flags_of(*find_group("kanban"));
  std::vector<std::string_view> given_;
  bool only_values_ = false;
};

class Completer {
 public:
  Completer(const Call& call, const Line& line, std::string word)
      : call_(call), line_(line), word_(std::move(word)) {}

  Offers offers() && {
    if (line_.lost) {
      return {};
    }
    if (line_.may_be_flag() && word_.starts_with('-') && !line_.about) {
      offer_flag_or_its_value();
    } else if (line_.waiting != nullptr) {
      offer_values(*line_.waiting, "", word_);
    } else if (line_.verb == nullptr) {
      offer_verbs();
    } else if (!line_.about) {
      offer_positional();
    }
    return std::move(offers_);
  }

 private:
  void offer(std::string value, std::string_view description = {}) {
    if (value.starts_with(word_) && is_plain(value)) {
      offers_.list.push_back(
          {std::move(value), clip_columns(printable(description), k_description_columns)});
    }
  }

  void offer_flags() {
    for (const Argument& argument : line_.flags()) {
      if (argument.repeatable || !line_.is_given(argument)) {
        offer("--" + std::string(argument.name), argument.help);
        if (const std::string alias = "--" + std::string(argument.alias); alias == word_) {
          offer(alias, argument.help);
        }
      }
    }
  }

  void offer_flag_or_its_value() {
    const auto equals = word_.find('=');
    if (equals == std::string::npos) {
      offer_flags();
      return;
    }
    const Argument* flag = line_.flag(std::string_view(word_).substr(2, equals - 2));
    if (word_.starts_with("--") && flag != nullptr) {
      offer_values(*flag, word_.substr(0, equals + 1), word_.substr(equals + 1));
    }
  }

  // An alias is offered to who has typed it, so that the shell takes it as it is.
  void offer_verbs() {
    for (const Verb& verb : all_verbs()) {
      if (verb.group == line_.group->name && !verb.properties.hidden) {
        offer(std::string(verb.name), verb.help);
        if (!verb.alias.empty() && verb.alias == word_) {
          offer(std::string(verb.alias), verb.help);
        }
      }
    }
    const std::string outer = line_.group->name.empty() ? "" : std::string(line_.group->name) + " ";
    for (const Group& group : all_groups()) {
      const std::string_view name = group.name;
      if (name.size() > outer.size() && name.starts_with(outer) &&
          name.find(' ', outer.size()) == std::string_view::npos) {
        offer(std::string(name.substr(outer.size())), group.help);
      }
    }
  }

  void offer_positional() {
    const Argument* argument = line_.positional();
    if (argument == nullptr) {
      offer_flags();
      return;
    }
    const bool names_something_new = line_.verb->name == "create";
    if (!names_something_new) {
      offer_values(*argument, "", word_);
    }
    if (offers_.list.empty() && !offers_.files && !argument->required) {
      offer_flags();
    }
  }

  // `before` stands in front of the value in the same word: "--flag=".
  void offer_values(const Argument& argument, const std::string& before, const std::string& typed) {
    switch (argument.type) {
      case Type::word:
        for (const std::string_view word : argument.words) {
          offer(before + std::string(word));
        }
        break;
      case Type::board:
        offer_boards(before);
        break;
      case Type::profile:
      case Type::assignee:
        offer_profiles(before, argument.type == Type::assignee);
        break;
      case Type::task_id:
        offer_tasks(argument, before, typed);
        break;
      case Type::path:
        offers_.files = true;
        break;
      case Type::text:
      case Type::integer:
      case Type::duration:
      case Type::time:
      case Type::json_object:
      case Type::boolean:
        break;
    }
  }

  void offer_boards(const std::string& before) {
    const auto home = find_home(call_);
    for (const std::string& slug : home ? home::list_boards(*home) : std::vector<std::string>{}) {
      const auto settings = home::load_board_settings(home->board(slug));
      offer(before + slug, settings ? settings->name : "");
    }
  }

  void offer_profiles(const std::string& before, bool lanes) {
    const auto home = find_home(call_);
    std::vector<std::string> names;
    if (home) {
      names = home::list_profiles(*home);
    }
    for (const std::string& name : names) {
      const auto profile = home::load_profile(*home, name);
      offer(before + name, profile ? profile->description : "");
    }
    if (!lanes) {
      return;
    }
    const auto found = read_board([](db::Reader& tx) -> Result<std::vector<std::string>> {
      return board::assignee_names(tx);
    });
    for (const std::string& name : found.value_or(std::vector<std::string>{})) {
      if (std::ranges::find(names, name) == names.end()) {
        offer(before + name, "has tasks on this board");
      }
    }
  }

  // "t_1c", and "1c" too, which every verb understands as well.
  void offer_tasks(const Argument& argument, const std::string& before, const std::string& typed) {
    const bool bare = !typed.empty() && !typed.starts_with('t');
    const std::string prefix = bare ? "t_" + typed : typed;
    const auto found = read_board([&](db::Reader& tx) -> Result<std::vector<board::TaskName>> {
      return board::task_names(tx, prefix, statuses(argument), k_most_tasks);
    });
    for (const board::TaskName& task : found.value_or(std::vector<board::TaskName>{})) {
      if (std::ranges::find(line_.positionals, task.id) == line_.positionals.end()) {
        offer(before + (bare ? task.id.substr(2) : task.id), task.title);
      }
    }
  }

  // Where the verb works; for verbs that move nothing, everything but what was put away.
  std::vector<Status> statuses(const Argument& argument) const {
    auto move =
        line_.verb->group == "kanban" ? from_word<rules::Move>(line_.verb->name) : std::nullopt;
    if (move == rules::Move::archive && argument.name == "rm") {
      move = rules::Move::remove;
    }
    std::vector<Status> out;
    for (std::size_t i = 0; i < k_words<Status>.size(); ++i) {
      const auto status = static_cast<Status>(i);
      if (move ? rules::may_move(*move, status) : status != Status::archived) {
        out.push_back(status);
      }
    }
    return out;
  }

  template <class Body>
  std::invoke_result_t<Body, db::Reader&> read_board(Body body) const {
    TRY_ASSIGN(const home::Home home, find_home(call_));
    home::BoardChoice choice = board_choice(call_);
    choice.flag = line_.board;
    TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, choice));
    TRY_ASSIGN(db::Database database,
               db::Database::open(home::files_of(paths), db::Database::Access::read,
                                  call_.environment.now));
    return database.read(body);
  }

  const Call& call_;
  const Line& line_;
  const std::string word_;
  Offers offers_;
};

}  // namespace

// Never an error: whoever types has asked for nothing.
Result<Answer> complete_line(Call& call) {
  call.host.give_up_after(k_patience);
  std::vector<std::string> words = call.values.list("words");
  const std::string last = words.empty() ? "" : words.back();
  if (!words.empty()) {
    words.pop_back();
  }
  Line line;
  for (const std::string& word : words) {
    line.read(word);
  }
  Offers offers = Completer(call, line, last).offers();
  Json list = Json::array();
  for (Offer& offer : offers.list) {
    list.push_back(
        {{"value", std::move(offer.value)}, {"description", std::move(offer.description)}});
  }
  Answer answer;
  answer.value = {{"files", offers.files}, {"candidates", std::move(list)}};
  return answer;
}

Result<Answer> completion(Call& call) {
  const std::string shell = call.values.text_or("shell", "");
  const std::string_view script = shell == "bash"  ? bash_completion()
                                  : shell == "zsh" ? zsh_completion()
                                                   : fish_completion();
  Answer answer;
  answer.value = {{"shell", shell}, {"text", script}};
  return answer;
}

}  // namespace hermes::verbs
