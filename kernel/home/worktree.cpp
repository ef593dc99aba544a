#include "kernel/home/worktree.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "kernel/base/files.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/board_settings.hpp"
#include "kernel/home/worktree_note.hpp"

namespace hermes::home {

namespace {

constexpr std::string_view k_half_made = "initializing";  // git's own lock while it makes a tree

std::string shown(const fs::path& path) { return printable(path.string()); }

bool is_a_directory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Without links, where that can be told.
fs::path real_path(const fs::path& path) {
  std::error_code problem;
  fs::path real = fs::canonical(path, problem);
  return problem ? path : real;
}

bool holds_nothing(const fs::path& dir) {
  std::error_code problem;
  return fs::is_empty(dir, problem) && !problem;
}

// What git knows of a directory.
struct Repository {
  fs::path at;          // where it was asked
  fs::path common;      // what all its trees share
  fs::path top;         // of the tree that `at` is in; "" in a bare one
  bool linked = false;  // that tree is not the main one
};

// Error: not_found when `dir` is in no repository; else git's, such as a repository that is not to
// be trusted.
Result<Repository> repository_at(Git& git, const fs::path& dir) {
  const std::vector<std::string> question{"rev-parse", "--is-bare-repository",
                                          "--is-inside-git-dir"};
  TRY_ASSIGN(const Git::Answer answer, git.ask(dir, question));
  if (answer.status != 0) {
    Error error = git_error(dir, question, answer);
    if (answer.err.find("not a git repository") != std::string::npos) {
      error = {ErrorCode::not_found, fmt::format("{} is not in a git repository", shown(dir)), ""};
    }
    return std::unexpected(std::move(error));
  }
  const bool bare = answer.out.starts_with("true");
  const bool inside = answer.out.ends_with("true\n");
  Repository found;
  found.at = dir;
  if (inside && !bare) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is inside the .git directory of a repository", shown(dir)),
                "name the repository itself");
  }
  TRY_ASSIGN(found.common,
             git.value(dir, {"rev-parse", "--path-format=absolute", "--git-common-dir"}));
  if (!bare) {
    TRY_ASSIGN(found.top, git.value(dir, {"rev-parse", "--show-toplevel"}));
    TRY_ASSIGN(const fs::path own, admin_directory(git, dir));
    found.linked = own != found.common;
  }
  return found;
}

// Where the task's tree is or shall be.
struct Place {
  Repository repository;
  fs::path target;
  bool existing = false;  // a linked tree that the task names itself
};

// The directory .worktrees of a main tree, which git shall pass over there: what lies in it would
// else be added as if it were a submodule.
Result<fs::path> trees_directory(const fs::path& main) {
  const fs::path dir = main / ".worktrees";
  if (::mkdir(dir.c_str(), 0755) == 0) {
    const Fd file(::open((dir / ".gitignore").c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file || ::write(file.get(), "*\n", 2) != 2) {
      return std::unexpected(system_error("write", dir / ".gitignore", errno));
    }
  } else if (errno != EEXIST || !is_a_directory(dir)) {
    return std::unexpected(system_error("make", dir, errno == EEXIST ? ENOTDIR : errno));
  }
  return real_path(dir);  // it may be a link
}

// A tree of the task's own, beside the main one.
Result<Place> beside(const BoardPaths& board, const TreeRequest& request, Repository repository,
                     Git& git) {
  fs::path main = repository.linked ? "" : repository.top;
  if (repository.linked) {  // never .worktrees/a/.worktrees/b
    TRY_ASSIGN(const auto trees, list_trees(git, repository.common));
    if (!trees.empty() && !trees.front().bare && is_there(fs::path(trees.front().path) / ".git")) {
      main = trees.front().path;
    }
  }
  fs::path dir = board.workspaces();
  if (!main.empty()) {
    TRY_ASSIGN(dir, trees_directory(main));
  } else {
    TRY(make_directory(dir));
    dir = real_path(dir);
  }
  return Place{std::move(repository), dir / request.task_id};
}

Result<fs::path> default_workdir(const BoardPaths& board) {
  TRY_ASSIGN(const BoardSettings settings, load_board_settings(board));
  return fs::path(settings.default_workdir);
}

Result<Place> place_at_default(const BoardPaths& board, const TreeRequest& request,
                               const fs::path& workdir, Git& git) {
  if (!is_a_directory(workdir)) {
    return fail(ErrorCode::invalid,
                fmt::format("the default_workdir {} of board {} is not a directory", shown(workdir),
                            board.slug),
                "set another one in the board's board.toml");
  }
  auto repository = repository_at(git, real_path(workdir));
  if (!repository) {
    Error error = std::move(repository).error();
    if (error.code == ErrorCode::not_found) {
      error = {ErrorCode::invalid,
               fmt::format("the default_workdir {} of board {} is not in a git repository",
                           shown(workdir), board.slug),
               "set one that is, or name a repository: --workspace worktree:PATH"};
    }
    return std::unexpected(std::move(error));
  }
  return beside(board, request, *std::move(repository), git);
}

// The repository of a tree that is to be made at `target`: the one around it, else the board's.
Result<Place> new_tree_at(const BoardPaths& board, fs::path target, const fs::path& around,
                          Git& git) {
  auto repository = repository_at(git, around);
  if (!repository && repository.error().code == ErrorCode::not_found) {
    TRY_ASSIGN(const fs::path workdir, default_workdir(board));
    if (!workdir.empty() && is_a_directory(workdir)) {
      repository = repository_at(git, real_path(workdir));
    }
  }
  if (!repository && repository.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::invalid,
                fmt::format("no repository for the worktree {}: neither the path nor board {}'s "
                            "default_workdir is in one",
                            shown(target), board.slug),
                "name a repository, or a path inside of one; was the repository removed?");
  }
  TRY_ASSIGN(Repository found, std::move(repository));
  return Place{std::move(found), std::move(target)};
}

Result<Place> find_place(const BoardPaths& board, const TreeRequest& request, Git& git) {
  TRY_ASSIGN(const fs::path workdir, default_workdir(board));
  const fs::path path = request.path.value_or("");
  if (path.empty() && workdir.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("the worktree of {} names no path, and board {} has no default_workdir",
                            request.task_id, board.slug),
                "set default_workdir to a git repository, or create the task with --workspace "
                "worktree:PATH");
  }
  if (path.empty() || path == workdir) {
    return place_at_default(board, request, workdir, git);
  }
  if (!path.is_absolute()) {
    return fail(ErrorCode::invalid,
                fmt::format("the worktree's path must be absolute: {}", shown(path)));
  }
  if (!is_a_directory(path)) {
    if (is_there(path)) {
      return fail(ErrorCode::invalid, fmt::format("{} is not a directory", shown(path)),
                  "name a repository, or a path where there is nothing yet");
    }
    fs::path around = path.parent_path();
    while (!is_there(around)) {
      around = around.parent_path();
    }
    const fs::path real = real_path(around);
    if (!is_a_directory(real)) {
      return fail(ErrorCode::invalid, fmt::format("{} is not a directory", shown(around)));
    }
    return new_tree_at(board, (real / path.lexically_relative(around)).lexically_normal(), real,
                       git);
  }
  const fs::path real = real_path(path);
  auto repository = repository_at(git, real);
  if (repository && repository->top == real && repository->linked) {
    return Place{*std::move(repository), real, true};
  }
  const bool bare_itself = repository && repository->top.empty() && repository->common == real;
  if (holds_nothing(real) && !bare_itself) {
    return new_tree_at(board, real, real, git);
  }
  if (!repository) {
    Error error = std::move(repository).error();
    if (error.code == ErrorCode::not_found) {
      error = {ErrorCode::invalid, error.message,
               "name a repository, or a path where there is nothing yet"};
    }
    return std::unexpected(std::move(error));
  }
  return beside(board, request, *std::move(repository), git);
}

// An earlier attempt's tree is taken again, wherever the settings would put a new one; but not for
// another request.
std::optional<Place> place_of(const std::optional<TreeNote>& note, const TreeRequest& request,
                              const std::string& branch) {
  if (!note || note->requested != request.path.value_or("") || note->branch != branch ||
      !is_a_directory(note->common)) {
    return std::nullopt;
  }
  Place place;
  place.repository.at = note->common;
  place.repository.common = note->common;
  place.target = note->path;
  return place;
}

// One preparation: what is asked for, and where.
struct Job {
  const BoardPaths& board;
  const TreeRequest& request;
  std::string branch;
  std::optional<TreeNote> note;  // of an earlier attempt
  Place place;
  Git& git;

  bool half_made_by_us() const {
    return note && !note->ready && note->path == place.target.string();
  }
  bool made_by_us() const { return note && note->path == place.target.string(); }
};

// Structure only: what a worker has left in its tree is the task's business.
Result<std::optional<std::string>> verify(Git& git, const fs::path& tree, const fs::path& common,
                                          const fs::path& admin) {
  TRY_ASSIGN(const fs::path top, git.value(tree, {"rev-parse", "--show-toplevel"}));
  TRY_ASSIGN(const fs::path shared,
             git.value(tree, {"rev-parse", "--path-format=absolute", "--git-common-dir"}));
  if (top != tree || shared != common || admin == common) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not a working tree of {} (git says {})", shown(tree),
                            shown(common), shown(top)),
                "look at `git worktree list`; move the directory away to have it made anew");
  }
  if (!is_there(admin / "index")) {
    return fail(ErrorCode::invalid, fmt::format("the working tree {} has no index", shown(tree)),
                "`git reset` there makes one");
  }
  TRY_ASSIGN(const Git::Answer head, git.ask(tree, {"symbolic-ref", "--quiet", "--short", "HEAD"}));
  if (head.status == 0) {
    return std::optional(std::string(trim(head.out)));
  }
  TRY(git.run(tree, {"rev-parse", "--verify", "--quiet", "HEAD^{commit}"}));
  return std::optional<std::string>();
}

// A linked tree that the task names itself is taken as it is.
Result<Tree> take_existing(const Job& job) {
  const fs::path& tree = job.place.target;
  TRY_ASSIGN(const fs::path admin, admin_directory(job.git, tree));
  TRY_ASSIGN(auto branch, verify(job.git, tree, job.place.repository.common, admin));
  if (job.request.branch && branch != job.request.branch) {
    return fail(ErrorCode::invalid,
                fmt::format("the working tree {} is on {}, not on {}", shown(tree),
                            branch ? printable(*branch) : "a detached HEAD",
                            printable(*job.request.branch)),
                "leave --branch out, or name another path");
  }
  return Tree{tree.string(), std::move(branch),
              mark_of(admin, job.board, job.request.task_id) == Marked::for_us};
}

// Nobody has worked in what is half-made and holds nothing but git's link.
bool throw_away_link(const fs::path& tree) {
  std::error_code problem;
  std::size_t entries = 0;
  for (fs::directory_iterator entry(tree, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    ++entries;
  }
  const fs::path link = tree / ".git";
  return !problem && entries == 1 && fs::is_regular_file(fs::symlink_status(link, problem)) &&
         fs::remove(link, problem);
}

// The commit that a new branch begins with; the branch itself when it exists.
Result<std::vector<std::string>> branch_arguments(const Job& job,
                                                  const std::vector<ListedTree>& trees) {
  const auto checked =
      job.git.ask(job.place.repository.common, {"check-ref-format", "--branch", job.branch});
  TRY(checked);
  if (checked->status != 0) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' cannot be the name of a branch", printable(job.branch)),
                "create the task with another --branch");
  }
  for (const ListedTree& other : trees) {
    if (other.branch == job.branch && other.path != job.place.target) {
      return fail(ErrorCode::invalid,
                  fmt::format("the branch {} is checked out in {}", printable(job.branch),
                              shown(other.path)),
                  "one branch can be in one working tree only: use another --branch, or that tree");
    }
  }
  const std::string target = job.place.target.string();
  TRY_ASSIGN(const Git::Answer exists,
             job.git.ask(job.place.repository.common,
                         {"show-ref", "--verify", "--quiet", "refs/heads/" + job.branch}));
  if (exists.status == 0) {
    return std::vector<std::string>{"--", target, job.branch};
  }
  const auto head =
      job.git.value(job.place.repository.at, {"rev-parse", "--verify", "--quiet", "HEAD^{commit}"});
  if (!head && head.error().code == ErrorCode::invalid) {
    return fail(ErrorCode::invalid,
                fmt::format("the repository {} has no commit to begin a branch with",
                            shown(job.place.repository.common)),
                "make a first commit, or name a --branch that exists");
  }
  TRY(head);
  return std::vector<std::string>{"--no-track", "-b", job.branch, "--", target, *head};
}

std::unexpected<Error> in_the_way(const Job& job, std::string_view what) {
  return fail(ErrorCode::invalid,
              fmt::format("the working tree of {} cannot be made: {} {}", job.request.task_id,
                          shown(job.place.target), what),
              "move it away, or create the task with --workspace worktree:PATH");
}

// Makes the tree without its files, under the repository's lock. Precondition: it is not there, or
// only its marks of ours are.
Result<void> add(const Job& job, const std::vector<ListedTree>& trees, const ListedTree* listed) {
  const fs::path& target = job.place.target;
  if (listed != nullptr && !job.made_by_us()) {
    return in_the_way(job, "is registered as a working tree whose directory is gone");
  }
  if (listed != nullptr && listed->locked) {
    if (!job.half_made_by_us() || listed->lock_reason != k_half_made) {
      return in_the_way(job, "is locked (git worktree lock), and its directory is gone");
    }
    TRY(job.git.run(job.place.repository.common, {"worktree", "unlock", "--", target.string()}));
  }
  TRY_ASSIGN(const std::vector<std::string> what, branch_arguments(job, trees));
  TRY(write_note(job.board, job.request.task_id,
                 {false, job.request.path.value_or(""), target.string(),
                  job.place.repository.common.string(), job.branch}));
  std::vector<std::string> arguments{"worktree", "add", "--no-checkout"};
  if (listed != nullptr) {
    arguments.emplace_back("--force");  // what git would refuse is only that it knows the path
  }
  arguments.insert(arguments.end(), what.begin(), what.end());
  TRY(job.git.run(job.place.repository.common, arguments));
  TRY_ASSIGN(const fs::path admin, admin_directory(job.git, target));
  return mark_tree(admin, job.board, job.request.task_id);
}

// Under the lock of the tree: fills in its files, unless somebody has.
Result<void> fill(const Job& job, const fs::path& admin) {
  auto note = read_note(job.board, job.request.task_id);
  if (!note) {
    return fail(ErrorCode::unavailable, fmt::format("the note of the working tree {} has vanished",
                                                    shown(job.place.target)));
  }
  if (note->ready) {
    return {};
  }
  const fs::path& tree = job.place.target;
  ::unlink((admin / "index.lock").c_str());  // of a git of ours that was killed: we hold the lock
  TRY(job.git.run(tree, {"reset", "--hard", "--quiet", "--no-recurse-submodules"}));
  TRY_ASSIGN(const std::string missing, job.git.run(tree, {"ls-files", "--deleted", "-z"}));
  if (!missing.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("git left files out of the working tree {}: {}", shown(tree),
                            printable(missing.substr(0, missing.find('\0')))));
  }
  note->ready = true;
  return write_note(job.board, job.request.task_id, *note);
}

// The tree is registered, its directory has a link of git: whose it is.
Result<Marked> owner(const Job& job) {
  const auto admin = admin_directory(job.git, job.place.target);
  if (!admin && admin.error().code != ErrorCode::invalid) {
    return std::unexpected(admin.error());
  }
  return admin ? mark_of(*admin, job.board, job.request.task_id) : Marked::not_at_all;
}

Result<Tree> find_or_make(const Job& job) {
  const fs::path& target = job.place.target;
  TRY(job.git.lock(job.place.repository.common));
  TRY_ASSIGN(const auto trees, list_trees(job.git, job.place.repository.common));
  const ListedTree* listed = find_tree(trees, target.string());
  bool linked = is_there(target / ".git");
  Marked marked = Marked::not_at_all;
  if (listed != nullptr && linked) {
    TRY_ASSIGN(marked, owner(job));
  }
  if (marked == Marked::for_another_board) {
    return in_the_way(job, "is the working tree of this task on another board, which has its id");
  }
  if (marked != Marked::for_us) {
    if (linked && job.half_made_by_us() && throw_away_link(target)) {
      linked = false;
    }
    if (linked) {
      return in_the_way(job, "is a working tree that was not made for it");
    }
    if (is_there(target) && !holds_nothing(target)) {
      return in_the_way(job, "is not empty");
    }
    TRY(add(job, trees, listed));
  } else if (!job.made_by_us()) {  // its note was lost: what is in it may be somebody's work
    TRY(write_note(job.board, job.request.task_id,
                   {true, job.request.path.value_or(""), target.string(),
                    job.place.repository.common.string(), job.branch}));
  }
  TRY_ASSIGN(const fs::path admin, admin_directory(job.git, target));
  TRY(job.git.lock(admin));  // lets the repository go: filling a tree takes its time
  TRY(fill(job, admin));
  TRY_ASSIGN(auto branch, verify(job.git, target, job.place.repository.common, admin));
  job.git.unlock();
  return Tree{target.string(), std::move(branch), true};
}

}  // namespace

Result<Tree> prepare_worktree(const BoardPaths& board, const TreeRequest& request, Git& git) {
  if (!is_task_id(request.task_id)) {
    return fail(ErrorCode::internal, "not a task id: " + printable(request.task_id));
  }
  const std::string branch = request.branch.value_or("wt/" + request.task_id);
  const auto note = read_note(board, request.task_id);
  auto known = place_of(note, request, branch);
  if (!known) {
    TRY_ASSIGN(known, find_place(board, request, git));
  }
  const Job job{board, request, branch, note, *std::move(known), git};
  return job.place.existing && !job.half_made_by_us() ? take_existing(job) : find_or_make(job);
}

}  // namespace hermes::home
