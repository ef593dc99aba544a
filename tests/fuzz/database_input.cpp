#include "fuzz/database_input.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "fuzz/harness.hpp"

namespace hermes::fuzz {

namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

Handle opened(const fs::path& file) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open(file.c_str(), &handle);
  Handle owner(handle);
  require(code == SQLITE_OK, "the database can be opened", file.string());
  return owner;
}

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The input makes this file and no other, and leaves the settings of the process alone.
int allow(void*, int action, const char* first, const char*, const char*, const char*) {
  constexpr const char* k_pragmas[] = {"writable_schema", "user_version", "application_id",
                                       "foreign_keys"};
  if (action == SQLITE_ATTACH || action == SQLITE_DETACH) {
    return SQLITE_DENY;
  }
  if (action == SQLITE_PRAGMA) {
    return std::ranges::any_of(k_pragmas,
                               [&](const char* one) { return std::strcmp(one, first) == 0; })
               ? SQLITE_OK
               : SQLITE_DENY;
  }
  return SQLITE_OK;
}

void run(const fs::path& file, std::string_view sql) {
  constexpr int k_steps = 200'000;
  constexpr int k_longest = 1 << 20;
  const Handle handle = opened(file);
  sqlite3_set_authorizer(handle.get(), allow, nullptr);
  sqlite3_limit(handle.get(), SQLITE_LIMIT_LENGTH, k_longest);
  sqlite3_progress_handler(
      handle.get(), k_steps, [](void*) { return 1; }, nullptr);
  const std::string text(sql);
  for (const char* rest = text.c_str(); *rest != '\0';) {
    const char* const begin = rest;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(handle.get(), begin, -1, &statement, &rest);
    while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
    }
    sqlite3_finalize(statement);
    if (rest == begin) {  // a mistake in the syntax: on with the next statement
      const char* const end = std::strchr(begin, ';');
      rest = end == nullptr ? "" : end + 1;
    }
  }
}

}  // namespace

void make_base(const fs::path& file, const char* sql) {
  const Handle handle = opened(file);
  sqlite3_exec(handle.get(), "PRAGMA page_size = 512", nullptr, nullptr, nullptr);
  require(sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK,
          "the base can be made", sqlite3_errmsg(handle.get()));
}

void make_database(const fs::path& base, const fs::path& file, std::string_view input) {
  if (input.starts_with('f')) {
    std::ofstream(file, std::ios::binary) << input.substr(1);
    return;
  }
  if (!input.starts_with('p')) {
    fs::copy_file(base, file);
    run(file, input);
    return;
  }
  std::string bytes = contents(base);
  constexpr std::size_t k_patch = 4;
  for (input.remove_prefix(1); input.size() >= k_patch; input.remove_prefix(k_patch)) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(input[i]));
    };
    const std::size_t at = (byte(0) << 16U) | (byte(1) << 8U) | byte(2);
    bytes[at % bytes.size()] = input[3];
  }
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace hermes::fuzz
