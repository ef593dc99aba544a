#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

// The note counts towards the limit, unless the limit is too short to hold it.
std::string cut_to(std::string text, std::size_t most) {
  if (text.size() <= most) {
    return text;
  }
  const std::string note = fmt::format(" … [cut to {} bytes]", most);
  const bool room = note.size() < most;
  return std::string(clip(text, room ? most - note.size() : most)) + (room ? note : "");
}

}  // namespace

Result<Answer> comment(Call& call) {
  std::string text = call.values.joined("text");
  if (const auto most = call.values.integer("max-len")) {
    text = cut_to(std::move(text), static_cast<std::size_t>(*most));
  }
  const std::string author = call.values.text_or("author", call.environment.author());
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  TRY_ASSIGN(answer.value, change(open, call, [&](board::Change& tx) -> Result<Json> {
               TRY_ASSIGN(const std::string id,
                          board::resolve_id(tx.tx, call.values.text_or("task_id", "")));
               TRY_ASSIGN(const std::int64_t comment_id, board::add_comment(tx, id, author, text));
               return Json{{"task_id", id},
                           {"comment_id", comment_id},
                           {"author", board::signed_by(tx, author)}};
             }));
  return answer;
}

}  // namespace hermes::verbs
