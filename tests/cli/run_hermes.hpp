#pragma once

#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernel/base/fd.hpp"
#include "support/temp_dir.hpp"

namespace hermes::test {

// What a finished `hermes` left behind.
struct Ran {
  int status = -1;  // exit status, 128 + signal when killed
  std::string out;
  std::string err;
};

// What it printed, as JSON; the test fails unless the command succeeded.
nlohmann::json json_of(const Ran& ran);

// A `hermes` that runs.
class Running {
 public:
  Running(const std::vector<std::string>& words, const std::vector<std::string>& environment);
  ~Running();
  Running(Running&&) noexcept;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Reads until standard output or error contains `text`; false when it ends or 20 s pass first.
  bool wait_for(const std::string& text);
  const std::string& out() const { return out_; }
  void close_out() { out_fd_.reset(); }
  void signal(int number) const;
  int wait();  // exit status as in Ran

 private:
  pid_t pid_ = -1;
  Fd out_fd_;
  std::string out_;
};

// The real command in a home of its own.
class Hermes {
 public:
  // Without `init` the home stays empty.
  explicit Hermes(bool init = true);
  ~Hermes() { remove_run_directory(home()); }
  Hermes(const Hermes&) = delete;
  Hermes& operator=(const Hermes&) = delete;

  Ran run(const std::vector<std::string>& words, const std::string& input = "") const;
  // Another program in the same environment; killed after 60 s.
  Ran run_program(std::vector<std::string> words) const;
  Ran kanban(std::vector<std::string> words, const std::string& input = "") const;
  Running start(const std::vector<std::string>& words) const;
  // Creates a task and answers its id.
  std::string create(std::vector<std::string> words) const;

  // NAME=VALUE, as a program of the same home is given it.
  std::vector<std::string> environment() const;
  void set(const std::string& name, const std::string& value) { environment_[name] = value; }
  void unset(const std::string& name) { environment_.erase(name); }

  std::filesystem::path home() const { return dir_ / "home"; }
  std::filesystem::path dir() const { return dir_.path(); }
  std::filesystem::path board() const { return home() / "boards" / "default"; }
  // The number of the newest event of the default board: equal numbers mean that nothing was
  // changed.
  std::int64_t last_event() const;
  // A second board beside the default one.
  void add_board(const std::string& slug) const;

 private:
  Ran run_one(const char* program, const std::vector<std::string>& words,
              const std::string& input) const;

  TempDir dir_;
  std::map<std::string, std::string> environment_;
};

}  // namespace hermes::test
