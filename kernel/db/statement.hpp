#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/base/instant.hpp"
#include "kernel/base/words.hpp"

namespace SQLite {
class Statement;
}

namespace hermes::db {

// A row cursor over one prepared statement. While it lives the statement is in use; its end resets
// it, which also ends the read it held. Columns are counted from 0. Throws DbError.
class Cursor {
 public:
  struct Slot {
    SQLite::Statement* statement;
    bool* busy;  // of the cache entry; null when the statement is owned
    bool owned;
  };

  explicit Cursor(Slot slot) : slot_(slot) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  bool next();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  Instant instant(int column) const { return {integer(column)}; }
  bool boolean(int column) const { return integer(column) != 0; }

  std::optional<std::int64_t> maybe_integer(int column) const;
  std::optional<std::string> maybe_text(int column) const;
  std::optional<Instant> maybe_instant(int column) const;

  // A column guarded by a CHECK on its words. Throws when the word is unknown (a newer or a damaged
  // board).
  template <class E>
  E word(int column) const {
    const std::string found = text(column);
    const auto value = from_word<E>(found);
    if (!value) {
      unknown_word(found);
    }
    return *value;
  }
  template <class E>
  std::optional<E> maybe_word(int column) const {
    return is_null(column) ? std::nullopt : std::optional<E>(word<E>(column));
  }

 private:
  [[noreturn]] static void unknown_word(const std::string& found);

  Slot slot_;
};

}  // namespace hermes::db
