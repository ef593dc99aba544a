#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/model/limits.hpp"
#include "kernel/model/run.hpp"

// The fleet breaker: a profile whose workers fail alike is paused on its board, then tried with one
// task. Pure; kernel/board/gates.hpp applies it to the tables.
//
//   open ── the third task fails alike ──▶ paused ── its time is over ──▶ probing ── works ──▶ open
//                                            ▲  a person resumes: open       │
//                                            └──── fails: twice as long ─────┘
namespace hermes::rules {

// What the end of a run says about its profile. `none`: nothing (stopped, aborted, rate limited).
enum class Sign { none, works, fails };
Sign sign_of(Outcome outcome);

// Equal for failures of one cause: the outcome, how the process ended, and its last words with
// whatever differs from run to run folded (`fold_numbers`). An exit whose words tell nothing is
// told by its kind and code alone.
std::string fingerprint(Outcome outcome, const ExitFacts& exit);

// Runs of hexadecimal digits with a decimal digit among them, or at least 8 long, become '#':
// process ids, times, task ids, addresses, attempts.
std::string fold_numbers(std::string_view text);

// A run of the profile whose verdict is committed.
struct EndedRun {
  std::int64_t id = 0;
  std::string task_id;
  Sign sign = Sign::none;
  std::string fingerprint;  // "": it says nothing about the profile
};

// How many different tasks have failed with this fingerprint and no success since. Runs that fail
// otherwise, or say nothing, are passed over.
std::int64_t failed_alike(const std::string& fingerprint,
                          const std::vector<EndedRun>& newest_first);

// So many tasks that failed alike pause their profile.
inline constexpr std::int64_t k_alike_to_pause = 3;

// What is stored of a profile that is, or was, paused on a board.
struct Gate {
  std::optional<Instant> paused_until;  // nothing: it is open
  Millis pause{0};                      // how long this pause is
  std::string reason;
  std::optional<std::int64_t> probe_run;  // the one run that tries it, while it has no verdict
};

// What the end of a run does to the gate of its profile.
enum class GateChange {
  none,
  pause,
  pause_longer,   // the probe failed
  probe_decided,  // the probe ended without saying anything: another one may try
  resume,         // it works
};
// `recent`: ended within the window, newest first, the ended one itself included.
GateChange judge(const std::optional<Gate>& gate, const EndedRun& ended,
                 const std::vector<EndedRun>& recent);

// The first pause, and the one after a pause of `before`: twice as long, at most 1 h (or the first
// one, where that is longer).
Millis next_pause(std::optional<Millis> before, const Limits& limits);

// True when the profile may not be started at all, or no more of it while one is tried.
bool is_paused(const Gate& gate, Instant now);

}  // namespace hermes::rules
