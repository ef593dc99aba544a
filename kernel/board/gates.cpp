#include "kernel/board/gates.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/rules/hold.hpp"

namespace hermes::board {

namespace {

constexpr std::int64_t k_most_looked_at = 100;  // runs that ended within the window
constexpr std::size_t k_reason_bytes = 300;

// What the walk reads of an ended run. A person who stops a run, or ends it by force, has decided
// it.
const std::string k_ended_columns =
    "r.id, r.task_id, r.outcome, r.stop_kind, COALESCE(r.fingerprint, '')";

rules::EndedRun read_ended(const db::Cursor& row) {
  rules::EndedRun run{row.integer(0), row.text(1), rules::sign_of(row.word<Outcome>(2)),
                      row.text(4)};
  const auto stop = row.maybe_word<StopKind>(3);
  if (stop && stop != StopKind::stale && stop != StopKind::verdict) {
    run.sign = rules::Sign::none;
  }
  return run;
}

rules::Gate read_gate(const db::Cursor& row, int first) {
  return {row.maybe_instant(first), Millis{row.integer(first + 1)}, row.text(first + 2),
          row.maybe_integer(first + 3)};
}

// A probe whose run has its verdict, or is gone with its task, is none.
constexpr std::string_view k_gates =
    "SELECT g.profile, g.paused_until, g.pause_ms, COALESCE(g.reason, ''), r.id FROM profile_gates "
    "g"
    " LEFT JOIN runs r ON r.id = g.probe_run_id AND r.ended_at IS NULL WHERE ";

struct Stored {
  std::optional<rules::Gate> gate;
  Instant resumed_at{0};
};

// As it was when the run began to be judged: its own probe is still named.
Stored stored_gate(db::Reader& tx, const std::string& profile) {
  auto row = tx.query(
      "SELECT paused_until, pause_ms, COALESCE(reason, ''), probe_run_id, COALESCE(resumed_at, 0)"
      " FROM profile_gates WHERE profile = $1",
      profile);
  if (!row.next()) {
    return {};
  }
  return {read_gate(row, 0), row.instant(4)};
}

std::vector<rules::EndedRun> recent_ends(Change& change, const std::string& profile,
                                         Instant since) {
  std::vector<rules::EndedRun> recent;
  auto row = change.tx.query("SELECT " + k_ended_columns +
                                 " FROM runs r WHERE r.profile = $1 AND r.ended_at > $2 AND "
                                 "r.ended_at <= $3 AND r.holder_kind <> 'external'"
                                 " ORDER BY r.ended_at DESC, r.id DESC LIMIT $4",
                             profile, since, change.now, k_most_looked_at);
  while (row.next()) {
    recent.push_back(read_ended(row));
  }
  return recent;
}

void pause(Change& change, const std::string& profile, const rules::EndedRun& run,
           const std::string& reason, Millis length, bool probe) {
  const Instant until = change.now + length;
  change.tx.execute(
      "INSERT INTO profile_gates (profile, paused_until, pause_ms, reason, fingerprint)"
      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (profile) DO UPDATE SET paused_until = $2,"
      " pause_ms = $3, reason = $4, fingerprint = $5, probe_run_id = NULL, resumed_at = NULL",
      profile, until, length, reason, run.fingerprint);
  append_event(change, "", std::nullopt, EventKind::profile_paused,
               dump({{"profile", profile},
                     {"until_ms", until.ms},
                     {"pause_ms", length.count()},
                     {"reason", reason},
                     {"probe", probe},
                     {"task_id", run.task_id},
                     {"run_id", run.id}}));
}

void tell_resumed(Change& change, const std::string& profile, const std::string& by,
                  std::optional<std::int64_t> run_id) {
  append_event(change, "", std::nullopt, EventKind::profile_resumed,
               dump({{"profile", profile},
                     {"by", by},
                     {"run_id", run_id ? nlohmann::json(*run_id) : nlohmann::json()}}));
}

// "exit code 3; last output: no such key": what the run itself has kept.
std::string last_words(db::Reader& tx, std::int64_t run_id) {
  auto row = tx.query("SELECT COALESCE(error, outcome) FROM runs WHERE id = $1", run_id);
  row.next();
  return std::string(clip(first_line(row.text(0)), k_reason_bytes));
}

}  // namespace

std::optional<rules::Gate> profile_gate(db::Reader& tx, const std::string& profile) {
  auto row = tx.query(std::string(k_gates) + "g.profile = $1", profile);
  return row.next() ? std::optional(read_gate(row, 1)) : std::nullopt;
}

std::map<std::string, rules::Gate> shut_gates(db::Reader& tx) {
  std::map<std::string, rules::Gate> gates;
  auto row = tx.query(std::string(k_gates) + "g.paused_until IS NOT NULL");
  while (row.next()) {
    gates.emplace(row.text(0), read_gate(row, 1));
  }
  return gates;
}

Result<void> check_gate(db::Reader& tx, const std::string& profile, Instant now) {
  if (const auto gate = profile_gate(tx, profile)) {
    if (const auto hold = rules::gate_hold(profile, *gate, now)) {
      return fail(ErrorCode::conflict, hold->text,
                  fmt::format("`hermes profile resume {}` ends the pause", profile));
    }
  }
  return {};
}

void record_probe(Change& change, const std::string& profile, std::int64_t run_id) {
  change.tx.execute(
      "UPDATE profile_gates SET probe_run_id = $1 WHERE profile = $2 AND paused_until IS NOT NULL",
      run_id, profile);
}

void judge_profile(Change& change, std::int64_t run_id) {
  std::string profile;
  rules::EndedRun ended;
  {
    auto row = change.tx.query(
        "SELECT " + k_ended_columns +
            ", r.profile FROM runs r WHERE r.id = $1 AND r.holder_kind <> 'external'",
        run_id);
    if (!row.next()) {
      return;
    }
    ended = read_ended(row);
    profile = row.text(5);
  }
  const Stored stored = stored_gate(change.tx, profile);
  std::vector<rules::EndedRun> recent;
  if (ended.sign == rules::Sign::fails) {
    recent = recent_ends(change, profile,
                         std::max(change.now - change.limits.fleet_window, stored.resumed_at));
  }
  switch (rules::judge(stored.gate, ended, recent)) {
    case rules::GateChange::none:
      if (stored.gate && ended.sign == rules::Sign::works) {
        change.tx.execute("DELETE FROM profile_gates WHERE profile = $1", profile);
      }
      break;
    case rules::GateChange::pause: {
      const Millis length = rules::next_pause(std::nullopt, change.limits);
      pause(change, profile, ended,
            fmt::format("{} of its tasks failed alike within {}, the last one {} with: {}",
                        rules::failed_alike(ended.fingerprint, recent),
                        format_duration(change.limits.fleet_window), ended.task_id,
                        last_words(change.tx, run_id)),
            length, false);
      break;
    }
    case rules::GateChange::pause_longer: {
      const Millis length = rules::next_pause(stored.gate->pause, change.limits);
      pause(change, profile, ended,
            fmt::format("tried again, and {} failed with: {}", ended.task_id,
                        last_words(change.tx, run_id)),
            length, true);
      break;
    }
    case rules::GateChange::probe_decided:
      change.tx.execute("UPDATE profile_gates SET probe_run_id = NULL WHERE profile = $1", profile);
      break;
    case rules::GateChange::resume:
      change.tx.execute("DELETE FROM profile_gates WHERE profile = $1", profile);
      tell_resumed(change, profile, "", run_id);
      break;
  }
}

Result<bool> resume_profile(Change& change, const std::string& profile) {
  if (change.actor.worker) {
    return fail(ErrorCode::forbidden,
                fmt::format("a worker cannot resume the profile '{}'", profile),
                "a person decides that it is mended");
  }
  // The row stays until the profile is seen to work: what failed before now is not counted again.
  if (change.tx.execute(
          "UPDATE profile_gates SET paused_until = NULL, pause_ms = 0, reason = NULL, fingerprint "
          "= "
          "NULL, probe_run_id = NULL, resumed_at = $1 WHERE profile = $2 AND paused_until IS NOT "
          "NULL",
          change.now, profile) == 0) {
    return false;
  }
  tell_resumed(change, profile, change.actor.name, std::nullopt);
  return true;
}

}  // namespace hermes::board
