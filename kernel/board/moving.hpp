#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/board/runs.hpp"
#include "kernel/board/verdicts.hpp"

// Private to kernel/board: what every move of a task begins and ends with.
namespace hermes::board {

// What an event repeats of a text: its first line, at most so many bytes.
inline constexpr std::size_t k_event_text_bytes = 400;

// Error: invalid (bounds), usage (the metadata is no JSON object).
Result<void> check_handoff(const Handoff& handoff);

bool is_worker(const Change& change);

// The task, if who asks may make this move now. A worker speaks for its own run only; once that run
// has been superseded its task is in the hands of others. Error: not_found, forbidden, not_yours,
// conflict.
Result<Task> task_to_move(Change& change, const std::string& id, rules::Move move);

// Closes the open run of a running task for a verdict of its worker, of whoever holds an external
// claim, or of a person who may overrule a worker: then `overrule` says why the worker is told to
// stop at once.
Result<Moved> close_open_run(Change& change, const Task& task, rules::Move move,
                             std::optional<StopKind> overrule, const Closing& closing);

// A worker that takes its own task away from itself would start it again for ever. Error:
// forbidden.
Result<void> person_only(const Change& change, std::string_view verb, const std::string& id);

// The reason of a move as a comment, "PREFIX: reason"; none when it is blank.
Result<void> add_note(Change& change, const std::string& id, std::string_view prefix,
                      const std::optional<std::string>& reason);

// What people and workers say, as it is kept: trimmed, and what has the form of a secret masked;
// nothing when it is blank.
std::optional<std::string> text_to_store(const std::optional<std::string>& text);

// A JSON object with every string in it masked alike, and whole under the name of a secret. Error:
// invalid, where a number has such a name: it cannot be masked and stay a number.
Result<std::optional<std::string>> metadata_to_store(const std::optional<std::string>& metadata);
nlohmann::json or_null(const std::optional<std::string>& text);

}  // namespace hermes::board
