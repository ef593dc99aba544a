#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/base/instant.hpp"
#include "kernel/model/words.hpp"

namespace hermes {

// One attempt at a task. It ends twice: `ended_at` when its verdict is committed, `gone_at` when
// its process and all descendants are known to be gone. The exit fields are filled once, at
// gone_at.
struct Run {
  std::int64_t id = 0;
  std::string task_id;
  std::int64_t attempt = 1;
  std::string profile;
  std::string token;  // 128 random bits: the worker's proof that it is this run
  HolderKind holder_kind = HolderKind::dispatcher;
  std::string host;
  std::string boot;
  std::optional<std::int64_t> shim_pid;
  std::optional<std::int64_t> shim_start;
  std::optional<std::int64_t> worker_pid;
  std::optional<std::int64_t> worker_start;
  Instant started_at;
  std::optional<Instant> spawned_at;
  std::optional<Instant> heartbeat_at;
  std::optional<std::string> heartbeat_note;
  std::optional<StopKind> stop_kind;
  std::optional<std::string> stop_by;
  std::optional<Instant> stop_at;
  std::optional<Instant> ended_at;
  std::optional<Instant> gone_at;
  std::optional<Outcome> outcome;
  std::optional<ExitKind> exit_kind;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> max_rss_kb;
  std::optional<std::int64_t> cpu_ms;
  std::optional<std::string> workspace_path;
  std::optional<std::string> branch;
  std::optional<std::string> step_key;
  std::optional<std::string> summary;
  std::optional<std::string> metadata;  // JSON object
  std::optional<std::string> error;
};

// What became of a run's process, as far as it can be known.
struct ExitFacts {
  ExitKind kind = ExitKind::exited;
  int code = 0;  // see ExitKind
  std::optional<std::int64_t> max_rss_kb;
  std::optional<std::int64_t> cpu_ms;
  std::string detail;       // for people: "cannot execute /x/y: No such file or directory"
  std::string last_output;  // last non-empty line of the log, cleaned, at most 400 bytes
  Millis hold{0};           // of a run that never started: not to be tried again before
  std::optional<std::string> workspace;  // where it was to work, when that was found only then
};

}  // namespace hermes
