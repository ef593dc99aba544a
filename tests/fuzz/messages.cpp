// What a client sends to the server of agents: lines of JSON-RPC, from the bytes to the answers,
// with the calls made on a board. "%title" stands for the id of that task.
#include <algorithm>
#include <vector>

#include "fuzz/harness.hpp"
#include "fuzz/home.hpp"
#include "kernel/base/text.hpp"
#include "mcp/frames.hpp"
#include "mcp/methods.hpp"

using namespace hermes;
using fuzz::require;
using verbs::Json;

namespace {

constexpr std::size_t k_frame_bytes = 2048;
constexpr int k_most_calls = 8;

using Frame = mcp::Frames::Frame;

std::vector<Frame> frames_of(std::string_view stream, std::size_t first_piece) {
  mcp::Frames frames(k_frame_bytes);
  frames.add(stream.substr(0, first_piece));
  frames.add(stream.substr(std::min(first_piece, stream.size())));
  frames.finish();
  std::vector<Frame> all;
  while (auto frame = frames.next()) {
    all.push_back(*std::move(frame));
  }
  return all;
}

void require_same(const std::vector<Frame>& a, const std::vector<Frame>& b,
                  std::string_view stream) {
  const bool same = std::ranges::equal(a, b, [](const Frame& x, const Frame& y) {
    return x.text == y.text && x.too_long == y.too_long;
  });
  require(same, "the same bytes are the same messages, however they arrive", stream);
}

void require_answer(const Json& id, const mcp::Outcome& outcome, std::string_view text) {
  const std::string line = mcp::response_line(id, outcome);
  require(line.ends_with('\n') && std::ranges::count(line, '\n') == 1, "an answer is one line",
          text);
  const Json answer = Json::parse(line, nullptr, false);
  require(answer.is_object() && answer["jsonrpc"] == "2.0", "an answer is an object of JSON-RPC",
          text);
  require(answer.contains("result") != answer.contains("error"),
          "an answer has a result or an error", text);
  if (!outcome) {
    fuzz::require_told(printable(outcome.error().message));
  }
}

std::string with_ids(std::string_view input, const fuzz::ThrowAwayHome& home) {
  std::string text(input);
  for (const auto& [title, id] : home.ids()) {
    const std::string word = "%" + title;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
      text.replace(at, word.size(), id);
    }
  }
  return text;
}

// Whether a call was made.
bool take(const Frame& frame, mcp::Methods& methods, int& calls) {
  mcp::Message message = mcp::parse_message(frame.text);
  if (const auto* malformed = std::get_if<mcp::Malformed>(&message)) {
    require_answer(malformed->id, std::unexpected(malformed->error), frame.text);
    return false;
  }
  auto* request = std::get_if<mcp::Request>(&message);
  if (request == nullptr) {
    return false;
  }
  const Json id = request->id;
  mcp::Reply reply = methods.receive(*request);
  if (const auto* outcome = std::get_if<mcp::Outcome>(&reply)) {
    require_answer(id, *outcome, frame.text);
    return false;
  }
  if (++calls > k_most_calls) {
    return false;
  }
  require_answer(id, std::get<mcp::Work>(reply)(), frame.text);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::ThrowAwayHome home;
  const std::string text = with_ids(fuzz::text_of(data, size), home);
  const auto frames = frames_of(text, text.size() / 3);
  require_same(frames, frames_of(text, text.size()), text);

  mcp::Session::Variables variables;
  for (const auto& [name, value] : home.environment.variables) {
    variables.emplace(name, value);
  }
  const mcp::Session session(variables, true, home.host);
  mcp::Methods methods(session);
  bool called = false;
  int calls = 0;
  for (const Frame& frame : frames) {
    called = (!frame.too_long && take(frame, methods, calls)) || called;
  }
  if (called) {
    home.require_sound();
    home.renew();
  }
  return 0;
}
