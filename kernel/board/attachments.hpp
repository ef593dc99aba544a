#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

// What `attach` is given; the file is stored already.
struct NewAttachment {
  std::string task_id;
  std::string name;  // of the file, for people and in the task's directory
  std::string content_type;
  std::int64_t size = 0;
  std::string added_by;  // "": whoever asks
};

// Whether `actor` may attach to the task or remove from it: a worker its own task while it is its
// run. To be asked before a file is copied; add and remove ask again. Error: not_found, forbidden,
// not_yours.
Result<void> may_attach(db::Reader& tx, const Actor& actor, const std::string& board,
                        const std::string& task_id);

// The row and its event. Error: as may_attach, invalid.
Result<Attachment> add_attachment(Change& change, const NewAttachment& added);

// Takes the row away; the caller removes the file once this is committed. Error: not_found,
// forbidden, not_yours.
Result<Attachment> remove_attachment(Change& change, std::int64_t id);

// Oldest first.
std::vector<Attachment> attachments_of(db::Reader& tx, const std::string& task_id);
std::vector<Attachment> all_attachments(db::Reader& tx);

}  // namespace hermes::board
