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

// type/subtype, as RFC 2046 has it, on one line. Error: invalid.
Result<void> check_content_type(const std::string& text);

// The row and its event. Whoever copies a file for it asks before whether the task may be changed
// (task_to_change). Error: not_found, forbidden, not_yours, invalid.
Result<Attachment> add_attachment(Change& change, const NewAttachment& added);

// Takes the row away; the caller removes the file once this is committed. Error: not_found,
// forbidden, not_yours.
Result<Attachment> remove_attachment(Change& change, std::int64_t id);

// Oldest first.
std::vector<Attachment> attachments_of(db::Reader& tx, const std::string& task_id);
std::vector<Attachment> all_attachments(db::Reader& tx);

}  // namespace hermes::board
