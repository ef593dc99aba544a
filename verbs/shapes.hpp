#pragma once

#include <string>
#include <vector>

#include "kernel/board/events.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/model/event.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"
#include "kernel/rules/hold.hpp"
#include "verbs/json.hpp"

// The JSON forms of what a board holds. Times under the predecessor's names are whole seconds; keys
// that end in _ms are milliseconds. Nobody and no tenant are null.
namespace hermes::verbs {

Json task_json(const Task& task);
// What a line of `list` shows; spares people's lists the work of the whole form.
Json task_line_json(const Task& task);
Json event_json(const Event& event);
Json watched_json(const board::WatchedEvent& watched);
Json run_json(const Run& run);
Json comment_json(const Comment& comment);
// `stored_path` is absolute; `missing` says that no file is there.
Json attachment_json(const Attachment& attachment, const home::BoardPaths& board);
Json attachments_json(const std::vector<Attachment>& attachments, const home::BoardPaths& board);
Json holds_json(const std::vector<rules::Hold>& holds);

// "running" while open, "done" when completed, else the outcome.
std::string run_status(const Run& run);

Json or_null(const std::string& text);
Json or_null(const std::optional<std::string>& text);
Json ms_or_null(const std::optional<Instant>& at);
Json seconds_or_null(const std::optional<Instant>& at);
// Stored JSON text as JSON; null when there is none or it cannot be read.
Json parsed(const std::optional<std::string>& text);

}  // namespace hermes::verbs
