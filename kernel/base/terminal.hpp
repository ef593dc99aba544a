#pragma once

#include <cstddef>

namespace hermes {

// Columns of the terminal that `fd` is; 0 when it is none, or does not tell.
std::size_t terminal_columns(int fd);

// Its rows; 0 likewise.
std::size_t terminal_rows(int fd);

// How wide a page of help on `fd` may be: 100 columns, less on a narrower terminal.
std::size_t help_columns(int fd);

}  // namespace hermes
