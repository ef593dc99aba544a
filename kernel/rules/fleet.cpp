#include "kernel/rules/fleet.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "kernel/base/ids.hpp"

namespace hermes::rules {

namespace {

constexpr Millis k_longest_pause = std::chrono::hours{1};
constexpr std::size_t k_surely_a_number = 8;  // hexadecimal digits: hardly a word of any language

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

Sign sign_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
    case Outcome::blocked:
    case Outcome::review:
      return Sign::works;
    case Outcome::failed:
    case Outcome::crashed:
    case Outcome::timed_out:
    case Outcome::stale:
    case Outcome::protocol_violation:
    case Outcome::spawn_failed:
      return Sign::fails;
    case Outcome::scheduled:
    case Outcome::rate_limited:
    case Outcome::reclaimed:
    case Outcome::aborted:
      break;
  }
  return Sign::none;
}

std::string fold_numbers(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), is_hex);
    const auto length = static_cast<std::size_t>(end - text.begin());
    if (length == 0) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const bool number = length >= k_surely_a_number || std::any_of(text.begin(), end, is_digit);
    out += number ? "#" : std::string(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

std::string fingerprint(Outcome outcome, const ExitFacts& exit) {
  const std::string& words = exit.last_output.empty() ? exit.detail : exit.last_output;
  return fmt::format("{}/{}/{}/{:016x}", to_word(outcome), to_word(exit.kind), exit.code,
                     fnv1a(fold_numbers(words)));
}

std::int64_t failed_alike(const std::string& fingerprint,
                          const std::vector<EndedRun>& newest_first) {
  std::set<std::string> tasks;
  for (const EndedRun& run : newest_first) {
    if (run.sign == Sign::works) {
      break;
    }
    if (run.sign == Sign::fails && run.fingerprint == fingerprint) {
      tasks.insert(run.task_id);
    }
  }
  return static_cast<std::int64_t>(tasks.size());
}

GateChange judge(const std::optional<Gate>& gate, const EndedRun& ended,
                 const std::vector<EndedRun>& recent) {
  if (!gate || !gate->paused_until) {
    const bool speaks = ended.sign == Sign::fails && !ended.fingerprint.empty();
    return speaks && failed_alike(ended.fingerprint, recent) >= k_alike_to_pause ? GateChange::pause
                                                                                 : GateChange::none;
  }
  if (ended.sign == Sign::works) {
    return GateChange::resume;
  }
  if (gate->probe_run != ended.id) {
    return GateChange::none;  // it was started before the pause
  }
  return ended.sign == Sign::fails && !ended.fingerprint.empty() ? GateChange::pause_longer
                                                                 : GateChange::probe_decided;
}

Millis next_pause(std::optional<Millis> before, const Limits& limits) {
  if (!before) {
    return limits.fleet_cooldown;
  }
  return std::max(limits.fleet_cooldown, std::min(*before * 2, k_longest_pause));
}

bool is_paused(const Gate& gate, Instant now) {
  return gate.paused_until && (*gate.paused_until > now || gate.probe_run);
}

}  // namespace hermes::rules
