#pragma once

#include <string_view>

namespace hermes::cli {

// Writes all of it. False when the reader has gone; other failures (a full disk) set `failed`.
bool put_out(std::string_view text);
void put_err(std::string_view text);

// True once standard output could not take what it was given, for another reason than a reader that
// left.
bool out_failed();

}  // namespace hermes::cli
