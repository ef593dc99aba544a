#include "cli/run_hermes.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "kernel/board/events.hpp"
#include "kernel/db/database.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::test {

namespace {

constexpr auto k_limit = std::chrono::seconds{20};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));
  }
  out.push_back(nullptr);
  return out;
}

// Without files both streams go to `out_fd`.
pid_t spawn(const char* program, const std::vector<std::string>& words,
            const std::vector<std::string>& environment, const char* in, const char* out_file,
            int out_fd, const char* err_file) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, in, O_RDONLY, 0);
  if (out_file != nullptr) {
    posix_spawn_file_actions_addopen(&files, 1, out_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  } else {
    posix_spawn_file_actions_adddup2(&files, out_fd, 1);
    posix_spawn_file_actions_adddup2(&files, out_fd, 2);
  }
  if (err_file != nullptr) {
    posix_spawn_file_actions_addopen(&files, 2, err_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  std::vector<std::string> argv{program};
  argv.insert(argv.end(), words.begin(), words.end());
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, program, &files, nullptr, pointers(argv).data(),
                                  pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) {
    throw std::runtime_error(std::string("cannot run ") + program);
  }
  return pid;
}

int wait_status(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Running::Running(const std::vector<std::string>& words,
                 const std::vector<std::string>& environment) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot make a pipe");
  }
  out_fd_.reset(ends[0]);
  const Fd write_end(ends[1]);
  pid_ = spawn(HERMES_BINARY, words, environment, "/dev/null", nullptr, write_end.get(), nullptr);
}

Running::Running(Running&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      out_fd_(std::move(other.out_fd_)),
      out_(std::move(other.out_)) {}

Running::~Running() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait_status(pid_);
  }
}

bool Running::wait_for(const std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + k_limit;
  while (out_.find(text) == std::string::npos) {
    pollfd item{out_fd_.get(), POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    char piece[4096];
    if (left.count() <= 0 || ::poll(&item, 1, static_cast<int>(left.count())) <= 0) {
      return false;
    }
    const ssize_t got = ::read(out_fd_.get(), piece, sizeof piece);
    if (got <= 0) {
      return false;
    }
    out_.append(piece, static_cast<std::size_t>(got));
  }
  return true;
}

void Running::signal(int number) const { ::kill(pid_, number); }

int Running::wait() { return wait_status(std::exchange(pid_, -1)); }

Hermes::Hermes(bool init) {
  std::filesystem::create_directory(dir_ / "user");
  environment_ = {{"HERMES_HOME", home().string()},
                  {"HOME", (dir_ / "user").string()},
                  {"USER", "tester"},
                  {"PATH", "/usr/bin:/bin"},
                  {"TZ", "UTC"}};
  if (init && run({"init"}).status != 0) {
    throw std::runtime_error("hermes init failed");
  }
}

std::vector<std::string> Hermes::environment() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : environment_) {
    out.push_back(name + "=" + value);
  }
  return out;
}

Ran Hermes::run(const std::vector<std::string>& words, const std::string& input) const {
  return run_one(HERMES_BINARY, words, input);
}

Ran Hermes::run_program(std::vector<std::string> words) const {
  words.insert(words.begin(), {"--kill-after=5", "60"});
  return run_one("/usr/bin/timeout", words, "");
}

Ran Hermes::run_one(const char* program, const std::vector<std::string>& words,
                    const std::string& input) const {
  const std::string in = (dir_ / "in").string();
  const std::string out = (dir_ / "out").string();
  const std::string err = (dir_ / "err").string();
  std::ofstream(in, std::ios::binary) << input;
  const pid_t pid = spawn(program, words, environment(), in.c_str(), out.c_str(), -1, err.c_str());
  const int status = wait_status(pid);
  return {status, contents(out), contents(err)};
}

Ran Hermes::kanban(std::vector<std::string> words, const std::string& input) const {
  words.insert(words.begin(), "kanban");
  return run(words, input);
}

Running Hermes::start(const std::vector<std::string>& words) const {
  return Running(words, environment());
}

std::string Hermes::create(std::vector<std::string> words) const {
  words.insert(words.begin(), "create");
  words.emplace_back("--json");
  const Ran ran = kanban(words);
  if (ran.status != 0) {
    throw std::runtime_error("create failed: " + ran.err);
  }
  return nlohmann::json::parse(ran.out).at("id").get<std::string>();
}

std::int64_t Hermes::last_event() const {
  const home::Home where{home()};
  auto database = db::Database::open(home::files_of(where.board("default")),
                                     db::Database::Access::read, wall_clock_now());
  if (!database) {
    throw std::runtime_error(database.error().message);
  }
  return database
      ->read([](db::Reader& tx) -> Result<std::int64_t> { return board::last_event(tx); })
      .value_or(-1);
}

void Hermes::add_board(const std::string& slug) const {
  if (!home::create_board(home::Home{home()}, slug, wall_clock_now())) {
    throw std::runtime_error("cannot create board " + slug);
  }
}

nlohmann::json json_of(const Ran& ran) {
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return nlohmann::json::parse(ran.out);
}

}  // namespace hermes::test
