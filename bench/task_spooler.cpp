#include "bench/task_spooler.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bench/child.hpp"
#include "bench/wait.hpp"

namespace hermes::bench {

namespace {

constexpr const char* k_program = "/usr/bin/tsp";
constexpr const char* k_true = "/bin/true";
constexpr int k_most_preloaded = 900;  // the server waits with select(2)

// A server of its own, with its socket in the home's directory, that ends with it.
class Spooler {
 public:
  Spooler(const TempHome& home, const std::string& name, int slots)
      : home_(home), name_(name), environment_(home.environment()) {
    const fs::path socket = home.dir() / (name + ".socket");
    environment_.push_back("TS_SOCKET=" + socket.string());
    environment_.push_back("TMPDIR=" + home.dir().string());
    environment_.push_back("TS_MAXFINISHED=100");
    environment_.push_back("TS_MAXCONN=1000");
    run({"-S", std::to_string(slots)});
  }
  ~Spooler() {
    try {
      run({"-K"});
    } catch (const std::exception&) {  // it has ended already
    }
  }
  Spooler(const Spooler&) = delete;
  Spooler& operator=(const Spooler&) = delete;

  void set_slots(int slots) const { run({"-S", std::to_string(slots)}); }
  void queue(const Words& command) const {
    Words words{"-n"};
    words.insert(words.end(), command.begin(), command.end());
    run(words);
  }

  // The last jobs may end in any order: the wait for the newest is followed by a look at all.
  // `but`: jobs that go on.
  void wait_for_all(int but = 0) const {
    run({"-w"});
    wait_for("task-spooler to finish", [&] { return unfinished() <= but; });
  }

 private:
  void run(Words words, const std::string& out = "/dev/null") const {
    words.insert(words.begin(), k_program);
    time_of_run(words, environment_, {.out = out});
  }
  int unfinished() const {
    const fs::path file = home_.dir() / (name_ + ".list");
    fs::remove(file);
    run({"-l"}, file.string());
    std::ifstream list(file);
    int count = 0;
    for (std::string line; std::getline(list, line);) {
      std::istringstream words(line);
      std::string id;
      std::string state;
      words >> id >> state;
      count += state == "queued" || state == "running" || state == "allocating" ? 1 : 0;
    }
    return count;
  }

  const TempHome& home_;
  std::string name_;
  Words environment_;
};

Nanos queue_to_end(const TempHome& home, int count, int slots) {
  const Spooler spooler(home, "tsp", slots);
  const Nanos began = monotonic_now();
  for (int i = 0; i < count; ++i) {
    spooler.queue({k_true});
  }
  spooler.wait_for_all();
  return monotonic_now() - began;
}

// All jobs wait behind one that holds the only slot, until that one is let go.
Nanos drain(const TempHome& home, int count, int slots) {
  const fs::path stopper = home.dir() / "stopper";
  if (::mkfifo(stopper.c_str(), 0600) != 0) {
    throw std::runtime_error("cannot make " + stopper.string());
  }
  const Spooler spooler(home, "tsp-drain", 1);
  spooler.queue({"/bin/cat", stopper.string()});
  const std::ofstream held(stopper);  // returns when the job has opened its end: it runs
  for (int i = 0; i < count; ++i) {
    spooler.queue({k_true});
  }
  const Nanos began = monotonic_now();
  spooler.set_slots(slots + 1);  // the stopper keeps one
  spooler.wait_for_all(1);
  return monotonic_now() - began;
}

}  // namespace

std::optional<Spooled> measure_task_spooler(const TempHome& home, int count, int slots) {
  if (::access(k_program, X_OK) != 0) {
    return std::nullopt;
  }
  Spooled spooled;
  spooled.queue_to_end = queue_to_end(home, count, slots);
  spooled.preloaded = std::min(count, k_most_preloaded);
  spooled.drain = drain(home, static_cast<int>(spooled.preloaded), slots);
  return spooled;
}

}  // namespace hermes::bench
