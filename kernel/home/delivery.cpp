#include "kernel/home/delivery.hpp"

#include <fmt/core.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

// A copy that replaces the file of a board would destroy what it copies.
Result<void> refuse_boards(const Home& home, const fs::path& target) {
  std::error_code problem;
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const fs::path real = fs::canonical(parent, problem);
  if (problem) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no directory {}", printable(parent.string())));
  }
  const fs::path inside = real.lexically_relative(fs::canonical(home.boards(), problem));
  if (!problem && !inside.empty() && *inside.begin() != "..") {
    return fail(ErrorCode::invalid,
                fmt::format("{} lies among the boards", printable(target.string())),
                "name a file elsewhere, best on another disk");
  }
  return {};
}

// SQLite reads what has these names into whatever database stands beside them: an old state would
// silently come back with the new file.
Result<void> refuse_companions(const fs::path& target) {
  for (const char* ending : {"-wal", "-shm", "-journal"}) {
    if (const fs::path other = target.string() + ending; is_there(other)) {
      return fail(ErrorCode::conflict,
                  fmt::format("{} is there, and would be read as a part of {}",
                              printable(other.string()), printable(target.filename().string())),
                  "it is of a database that some program has opened there: name another file, or "
                  "remove it");
    }
  }
  return {};
}

}  // namespace

Result<Delivery> Delivery::to(const Home& home, const fs::path& target, bool replace) {
  if (!target.has_filename()) {
    return fail(ErrorCode::invalid, fmt::format("'{}' names no file", printable(target.string())));
  }
  TRY(refuse_boards(home, target));
  TRY(refuse_companions(target));
  struct stat facts {};
  if (::lstat(target.c_str(), &facts) == 0) {
    if (!S_ISREG(facts.st_mode)) {
      return fail(ErrorCode::conflict,
                  fmt::format("{} is there and is no regular file", printable(target.string())),
                  "name another file");
    }
    if (!replace) {
      return fail(ErrorCode::conflict, fmt::format("{} exists already", printable(target.string())),
                  "name another file, or replace it with --force");
    }
  }
  return Delivery(target, replace);
}

Delivery::Delivery(fs::path target, bool replace)
    : target_(std::move(target)), beside_(temporary_beside(target_)), replace_(replace) {}

Delivery::Delivery(Delivery&& other) noexcept
    : target_(std::move(other.target_)),
      beside_(std::move(other.beside_)),
      replace_(other.replace_),
      made_(std::exchange(other.made_, false)) {}

Delivery::~Delivery() {
  if (made_) {
    ::unlink(beside_.c_str());
    ::unlink((beside_.string() + "-journal").c_str());
  }
}

Result<void> Delivery::finish() {
  TRY(refuse_companions(target_));
  if (replace_) {
    if (::rename(beside_.c_str(), target_.c_str()) != 0) {
      return std::unexpected(system_error("rename to", target_, errno));
    }
  } else {
    TRY(rename_to_new(beside_, target_));
  }
  made_ = false;
  return sync_directory(target_.parent_path());
}

}  // namespace hermes::home
