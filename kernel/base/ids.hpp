#pragma once

#include <string>
#include <string_view>

#include "kernel/base/random.hpp"

namespace hermes {

// `t_` and 8 lower-case hexadecimal digits.
std::string new_task_id(Random& random);

// True for a whole task id. Nothing else may become part of a path.
bool is_task_id(std::string_view text);

// True for what may be completed to a task id: `t_` and 0 to 8 digits, or the digits alone (at
// least one).
bool is_task_id_prefix(std::string_view text);

// 128 random bits as 32 hexadecimal digits: proves that a writer is the run it says it is.
std::string new_run_token(Random& random);

// In a time that tells nothing of where they differ. An empty one is nobody's.
bool is_same_token(std::string_view known, std::string_view shown);

// 64-bit FNV-1a (Fowler, Noll, Vo; RFC 9923). For fingerprints and record checksums, not for
// security.
std::uint64_t fnv1a(std::string_view bytes);

}  // namespace hermes
