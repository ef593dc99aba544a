#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <csignal>

int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);  // as in every program of ours: a closed pipe is a return value
  return Catch::Session().run(argc, argv);
}
