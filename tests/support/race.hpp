#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <vector>

namespace hermes::test {

// So many processes that begin `body() -> int` at the same moment; their exit statuses.
template <class Body>
std::vector<int> race(int number, Body body) {
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < number; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe_ends[1]);
      char go = 0;
      // End of file: everybody starts together.
      [[maybe_unused]] const auto got = ::read(pipe_ends[0], &go, 1);
      ::_exit(body());
    }
    children.push_back(child);
  }
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  std::vector<int> statuses;
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    statuses.push_back(WEXITSTATUS(status));
  }
  return statuses;
}

}  // namespace hermes::test
