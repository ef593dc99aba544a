#include "kernel/home/artifacts.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/workspace.hpp"

namespace hermes::home {

namespace {

// `path` as seen from `root`, by their words alone; nothing when it leads elsewhere.
std::optional<fs::path> below(const fs::path& root, const fs::path& path) {
  const fs::path rest = path.lexically_normal().lexically_relative(root);
  return rest.empty() || *rest.begin() == ".." ? std::nullopt : std::optional(rest);
}

// Nothing on the way may be a link: they were resolved before, and one that is there now was put
// there in between.
Result<Fd> open_below(const fs::path& root, const fs::path& rest) {
  Fd at(::open(root.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  for (auto part = rest.begin(); at && part != rest.end(); ++part) {
    const int kind =
        std::next(part) == rest.end() ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    at = Fd(::openat(at.get(), part->c_str(), kind | O_NOFOLLOW | O_CLOEXEC));
  }
  const fs::path path = root / rest;
  if (!at && errno == ENOENT) {
    return fail(ErrorCode::not_found, fmt::format("no such file: {}", printable(path.string())));
  }
  if (!at) {
    return std::unexpected(system_error("open", path, errno));
  }
  struct stat facts {};
  if (::fstat(at.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not a regular file", printable(path.string())));
  }
  return at;
}

}  // namespace

bool is_address(std::string_view text) { return text.find("://") != std::string_view::npos; }

Result<std::optional<Artifact>> open_artifact(const BoardPaths& board, const std::string& task_id,
                                              const std::string& given) {
  if (is_address(given) || !is_our_scratch(board, task_id)) {
    return std::nullopt;
  }
  std::error_code problem;
  const fs::path root = fs::canonical(board.workspace(task_id), problem);
  if (problem) {
    return std::unexpected(
        system_error("find the workspace", board.workspace(task_id), problem.value()));
  }
  const fs::path named = root / given;  // `given` itself when it is absolute
  const bool seems_inside = below(root, named) || below(board.workspace(task_id), named);
  const fs::path real = fs::weakly_canonical(named, problem);
  const auto rest = problem ? std::nullopt : below(root, real);
  if (!rest && !seems_inside) {
    return std::nullopt;
  }
  if (problem) {
    return std::unexpected(system_error("open", named, problem.value()));
  }
  if (!rest) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is a link that leads out of the workspace to {}",
                            printable(named.string()), printable(real.string())));
  }
  TRY_ASSIGN(Fd file, open_below(root, *rest));
  return Artifact{real, std::move(file)};
}

}  // namespace hermes::home
