#pragma once

#include <string>

#include "kernel/board/change.hpp"

namespace hermes::board {

// Whether the text also says how a worker has to work and to end.
enum class Contract { left_out, included };

// The text a worker is given: its task, its attachments, earlier attempts, its parents' results,
// comments. Bounded in every part and as a whole (64 KiB). A function of the board, of where its
// attachments are (an absolute path) and of one clock reading. Error: not_found.
Result<std::string> context_text(db::Reader& tx, const std::string& task_id, Instant now,
                                 const Limits& limits, const std::string& attachments,
                                 Contract contract = Contract::left_out);

}  // namespace hermes::board
