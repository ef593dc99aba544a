#include "verbs/workspace.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::verbs {

namespace {

constexpr std::string_view k_forms =
    "the forms are scratch, worktree, worktree:PATH, dir and dir:PATH";

std::unexpected<Error> bad_form(std::string_view text, std::string_view rule) {
  return fail(ErrorCode::usage, fmt::format("workspace '{}': {}", printable(clip(text, 200)), rule),
              std::string(k_forms));
}

bool has_white_space(std::string_view text) {
  return text.find_first_of(" \t\r\n\v\f") != std::string_view::npos;
}

}  // namespace

Result<WorkspaceForm> parse_workspace(const std::string& text, const std::string& user_home) {
  if (text == "scratch") {
    return WorkspaceForm{};
  }
  if (text == "worktree" || text == "dir") {
    return WorkspaceForm{*from_word<WorkspaceKind>(text), std::nullopt};
  }
  const auto colon = text.find(':');
  const std::string keyword = text.substr(0, colon);
  if (colon == std::string::npos || (keyword != "dir" && keyword != "worktree")) {
    return bad_form(text, "unknown form");
  }
  const std::string given(trim(std::string_view(text).substr(colon + 1)));
  if (given.empty()) {
    return bad_form(text, "a path is needed after the colon");
  }
  if (given.front() == '~' && user_home.empty()) {
    return bad_form(text, "'~' stands for HOME, which is not set");
  }
  const fs::path path = expand_tilde(given, user_home);
  if (!path.is_absolute()) {
    return bad_form(text, "the path must be absolute");
  }
  return WorkspaceForm{keyword == "dir" ? WorkspaceKind::dir : WorkspaceKind::worktree,
                       one_spelling(path).string()};
}

fs::path one_spelling(const fs::path& path) {
  std::error_code problem;
  fs::path resolved = fs::weakly_canonical(path, problem);
  if (problem) {
    resolved = path.lexically_normal();
  }
  return resolved.has_filename() || resolved == resolved.root_path() ? resolved
                                                                     : resolved.parent_path();
}

Result<void> check_branch(const std::optional<std::string>& branch, WorkspaceKind kind) {
  if (!branch) {
    return {};
  }
  const auto refuse = [&](std::string_view rule) {
    return fail(ErrorCode::usage,
                fmt::format("branch '{}': {}", printable(clip(*branch, 200)), rule),
                "for example the branch work/login, with worktree as the workspace");
  };
  if (kind != WorkspaceKind::worktree) {
    return refuse("a branch needs worktree or worktree:PATH as the workspace");
  }
  if (trim(*branch).empty()) {
    return refuse("must not be empty");
  }
  if (branch->front() == '-') {
    return refuse("must not begin with '-'");
  }
  if (has_white_space(*branch)) {
    return refuse("must not contain white space");
  }
  return {};
}

}  // namespace hermes::verbs
