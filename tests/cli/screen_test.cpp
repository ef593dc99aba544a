#include <catch2/catch.hpp>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "cli/run_hermes.hpp"
#include "kernel/base/fd.hpp"

namespace hermes::test {

namespace {

// `hermes` on a terminal of its own.
class OnTerminal {
 public:
  OnTerminal(const Hermes& hermes, std::vector<std::string> words, winsize size) {
    words.insert(words.begin(), {"hermes", "kanban"});
    std::vector<std::string> environment{"HERMES_HOME=" + hermes.home().string(), "TERM=xterm",
                                         "PATH=/usr/bin:/bin", "USER=ann"};
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> out;
      for (std::string& text : texts) {
        out.push_back(text.data());
      }
      out.push_back(nullptr);
      return out;
    };
    const auto argv = pointers(words);
    const auto env = pointers(environment);
    int end = -1;
    pid_ = ::forkpty(&end, nullptr, nullptr, &size);
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::execve(HERMES_BINARY, argv.data(), env.data());
      ::_exit(127);
    }
    end_.reset(end);
  }
  ~OnTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  // Until what was written since the last call holds `text`; that is then forgotten up to its end.
  bool shows(const std::string& text) { return shows(text, last_); }
  // The same, with what stood before it.
  bool shows(const std::string& text, std::string& before) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (true) {
      if (const auto at = seen_.find(text); at != std::string::npos) {
        before = seen_.substr(0, at);
        seen_.erase(0, at + text.size());
        return true;
      }
      pollfd item{end_.get(), POLLIN, 0};
      char piece[4096];
      if (std::chrono::steady_clock::now() >= deadline || ::poll(&item, 1, 100) < 0) {
        return false;
      }
      if (item.revents == 0) {
        continue;
      }
      const ssize_t got = ::read(end_.get(), piece, sizeof piece);
      if (got <= 0) {
        return false;
      }
      seen_.append(piece, static_cast<std::size_t>(got));
    }
  }
  void type(char key) const { REQUIRE(::write(end_.get(), &key, 1) == 1); }
  void resize(winsize size) const { REQUIRE(::ioctl(end_.get(), TIOCSWINSZ, &size) == 0); }
  void signal(int number) const { ::kill(pid_, number); }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  // The lines of the next whole picture.
  std::vector<std::string> picture() {
    REQUIRE(shows("\x1b[H"));
    REQUIRE(shows("\x1b[J", last_));
    std::vector<std::string> lines(1);
    for (std::size_t i = 0; i < last_.size(); ++i) {
      if (last_.compare(i, 3, "\x1b[K") == 0) {
        i += 2;
      } else if (last_[i] == '\n') {
        lines.emplace_back();
      } else if (last_[i] != '\r') {
        lines.back() += last_[i];
      }
    }
    return lines;
  }

 private:
  pid_t pid_ = -1;
  Fd end_;
  std::string seen_;
  std::string last_;
};

}  // namespace

TEST_CASE("list --watch draws the board anew with every change and gives the terminal back",
          "[cli]") {
  const Hermes hermes;
  hermes.create({"The first of them", "--assignee", "ann"});
  OnTerminal screen(hermes, {"list", "--watch"}, {8, 60, 0, 0});
  REQUIRE(screen.shows("\x1b[?1049h"));
  const auto first = screen.picture();
  CHECK(first.size() == 8);
  CHECK(first[0] == "default  ready=1");
  CHECK(first[2].find("The first of them") != std::string::npos);
  CHECK(first[7].find("Ctrl-C ends") != std::string::npos);

  hermes.create({"The second"});
  REQUIRE(screen.shows("ready=2"));
  REQUIRE(screen.shows("The second"));

  screen.resize({6, 30, 0, 0});
  REQUIRE(screen.shows("\x1b[J"));
  const auto small = screen.picture();
  CHECK(small.size() == 6);
  hermes.create({"The third"});
  hermes.create({"The fourth"});
  REQUIRE(screen.shows("more than fit"));

  screen.type('\x03');  // Ctrl-C
  REQUIRE(screen.shows("\x1b[?1049l"));
  CHECK(screen.wait() == 0);
}

TEST_CASE("list --watch honours the filters of list", "[cli]") {
  const Hermes hermes;
  hermes.create({"Hers", "--assignee", "ann"});
  hermes.create({"His", "--assignee", "bob"});
  OnTerminal screen(hermes, {"list", "--watch", "--assignee", "ann"}, {24, 80, 0, 0});
  const auto picture = screen.picture();
  CHECK(picture[0] == "default  ready=2");
  CHECK(picture[2].find("Hers") != std::string::npos);
  CHECK(picture[3].empty());
  CHECK(picture[23].find("--assignee ann") != std::string::npos);
  screen.signal(SIGTERM);
  REQUIRE(screen.shows("\x1b[?1049l"));
  CHECK(screen.wait() == 0);
}

TEST_CASE("list --watch draws at most twenty times a second", "[cli]") {
  const Hermes hermes;
  OnTerminal screen(hermes, {"list", "--watch"}, {8, 60, 0, 0});
  screen.picture();
  const auto begun = std::chrono::steady_clock::now();
  hermes.create({"last"});
  for (int i = 0; i < 20; ++i) {
    hermes.run_program(
        {"/bin/sh", "-c", std::string(HERMES_BINARY) + " kanban create t >/dev/null"});
  }
  std::size_t pictures = 0;
  for (std::string counts; counts.find("ready=21") == std::string::npos; ++pictures) {
    counts = screen.picture()[0];
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(pictures <= static_cast<std::size_t>(took / std::chrono::milliseconds{50}) + 2);
}

TEST_CASE("list --watch is for terminals only", "[cli]") {
  const Hermes hermes;
  const Ran piped = hermes.kanban({"list", "--watch"});
  CHECK(piped.status == 2);
  CHECK(piped.out.empty());
  CHECK(piped.err.find("`hermes kanban watch` is for pipes") != std::string::npos);
  CHECK(hermes.kanban({"list", "--watch", "--json"}).status == 2);
}

}  // namespace hermes::test
