#pragma once

#include <filesystem>
#include <string_view>

namespace hermes::fuzz {

// A database that a stranger may hand us, made of `base` by an input. Its first byte says how:
//   'f'  the rest is the file
//   'p'  the rest is patches of the file, four bytes each: three of the place, one that is put
//   there
// and everything else is SQL, of which the schema may be changed as well (PRAGMA writable_schema).
// Statements with a mistake are passed over.
void make_database(const std::filesystem::path& base, const std::filesystem::path& file,
                   std::string_view input);

// The database that `sql` makes, in small pages.
void make_base(const std::filesystem::path& file, const char* sql);

}  // namespace hermes::fuzz
