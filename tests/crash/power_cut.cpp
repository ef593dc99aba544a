#include "crash/power_cut.hpp"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "crash/reopen.hpp"
#include "crash/workload.hpp"
#include "support/temp_dir.hpp"

namespace hermes::test {

namespace {

using db::Database;

constexpr std::size_t k_failures_told = 10;
constexpr std::size_t k_cuts_of_a_recovery = 12;

// What a workload has done to the disk, and what the board held after each of its calls.
struct Recording {
  Trace trace{{}};
  std::vector<std::uint64_t> states;  // [k]: after k acknowledged calls
  std::vector<std::string> indexes;   // [k]: board.db-shm then
};

void must(const Result<void>& done) {
  if (!done) {
    throw std::runtime_error("the workload has failed: " + one_line(done.error()));
  }
}

// One recorded workload in a directory of its own.
class Recorder {
 public:
  explicit Recorder(const PowerCutPlan& plan) : plan_(plan) {}

  Recording run() {
    begin();
    const Disk disk([&](const Operation& operation) { return recording_.trace.note(operation); });
    if (plan_.begin == PowerCutPlan::Begin::creation) {
      must(Database::create(board_files(dir_), Workload::k_begin));
    }
    std::optional<Database> boards[] = {open_board(dir_), open_board(dir_)};
    if (plan_.begin != PowerCutPlan::Begin::board) {
      acknowledge(*boards[0]);
    }
    const Workload workload(plan_.seed, plan_.bulk_every);
    for (int i = 0; i < plan_.calls; ++i) {
      if (plan_.alone) {
        boards[0].reset();
        boards[1].reset();
        boards[i % 2] = open_board(dir_);
      }
      Database& board = *boards[i % 2];
      must(workload.call(board, i));
      acknowledge(board);
      if ((i + 1) % plan_.truncate_every == 0) {
        must(board.truncate_wal(std::chrono::seconds{30}));
      }
    }
    return std::move(recording_);
  }

 private:
  void begin() {
    if (plan_.begin == PowerCutPlan::Begin::board) {
      must(Database::create(board_files(dir_), Workload::k_begin));
      remember(reopen(dir_).digest);
    } else if (plan_.begin == PowerCutPlan::Begin::upgrade) {
      lay_out({{"board.db", content_of(plan_.older_board)}}, dir_);
    }
    recording_.trace = Trace(files_in(dir_));
  }

  void acknowledge(Database& board) {
    const auto digest = digest_of(board);
    if (!digest) {
      throw std::runtime_error(one_line(digest.error()));
    }
    if (recording_.states.empty()) {  // whoever opens it before brings it to the same state
      remember(*digest);
    }
    remember(*digest);
    recording_.trace.acknowledge();
  }

  void remember(std::uint64_t digest) {
    recording_.states.push_back(digest);
    recording_.indexes.push_back(content_of(dir_ / "board.db-shm"));
  }

  const PowerCutPlan& plan_;
  TempDir ground_{TempDir::Storage::memory};
  const std::filesystem::path& dir_ = ground_.path();
  Recording recording_;
};

std::string_view name_of(Trace::Event::Kind kind) {
  static constexpr std::string_view k_names[] = {
      "creation", "removal", "write", "truncation", "sync", "sync of the directory", ""};
  return k_names[static_cast<std::size_t>(kind)];
}

std::size_t hash_of(const Image& image) {
  std::size_t hash = 0;
  for (const auto& [name, content] : image) {
    hash = hash * 31 + std::hash<std::string>{}(name);
    hash = hash * 31 + std::hash<std::string>{}(content);
  }
  return hash;
}

class Judge {
 public:
  explicit Judge(const PowerCutPlan& plan)
      : plan_(plan), recording_(Recorder(plan_).run()), random_(plan.seed ^ 0xd15c) {}

  PowerCutReport run() {
    PowerCut cut(recording_.trace);
    while (cut.advance(plan_.lies)) {
      const bool is_write = cut.last().kind == Trace::Event::Kind::write;
      const bool is_copy = is_write && cut.last().file == "board.db";
      if (!is_write ||
          cut.at() % (is_copy && plan_.every_copy > 0 ? plan_.every_copy : plan_.every) == 0) {
        ++report_.cuts;
        report_.copies += is_copy ? 1 : 0;
        for (int number = 0; number < plan_.images; ++number) {
          judge(cut, number);
        }
      }
    }
    report_.changes = cut.at();
    report_.commits = recording_.states.size() - 1;
    report_.states = std::set(recording_.states.begin(), recording_.states.end()).size();
    report_.distinct = seen_.size();
    return report_;
  }

 private:
  void judge(const PowerCut& cut, int number);
  const Reopened& look_at(const Image& image);
  bool is_expected(const Reopened& found, std::size_t acknowledged);
  void cut_again(const Image& image, std::uint64_t state, const std::string& where);
  void failed(const std::string& where, const Reopened& found);

  const PowerCutPlan plan_;
  const Recording recording_;
  SeededRandom random_;
  TempDir ground_{TempDir::Storage::memory};
  std::map<std::size_t, Reopened> seen_;
  PowerCutReport report_;
};

void Judge::judge(const PowerCut& cut, int number) {
  const Keep keep = number == 0 ? Keep::nothing : number == 1 ? Keep::everything : Keep::some;
  Image image = cut.image(keep, random_);
  if (keep == Keep::some && random_.next() % 4 == 0) {  // whose content nobody has vouched for
    image["board.db-shm"] = recording_.indexes[random_.next() % (cut.acknowledged() + 1)];
  }
  const std::string where =
      fmt::format("seed {}, power cut after change {} ({} of {}), image {}", plan_.seed, cut.at(),
                  name_of(cut.last().kind), cut.last().file, number);
  const Reopened& found = look_at(image);
  ++report_.images;
  if (!is_expected(found, cut.acknowledged())) {
    failed(fmt::format("{}, {} calls acknowledged", where, cut.acknowledged()), found);
  } else if (found.refused.empty() && report_.images % plan_.again_every == 0) {
    cut_again(image, found.digest, where);
  }
}

const Reopened& Judge::look_at(const Image& image) {
  const std::size_t hash = hash_of(image);
  const auto known = seen_.find(hash);
  if (known != seen_.end()) {
    return known->second;
  }
  lay_out(image, ground_.path());
  return seen_.emplace(hash, reopen(ground_.path())).first->second;
}

bool Judge::is_expected(const Reopened& found, std::size_t acknowledged) {
  if (!found.refused.empty()) {  // a board that is not made yet, and has not got its name yet
    ++report_.refused;
    return plan_.begin == PowerCutPlan::Begin::creation && acknowledged == 0;
  }
  const auto& states = recording_.states;
  const bool before = found.digest == states[acknowledged];
  const bool after = acknowledged + 1 < states.size() && found.digest == states[acknowledged + 1];
  return found.problems.empty() && (before || after);
}

// The board is opened, used and checkpointed, and the power goes once more meanwhile.
void Judge::cut_again(const Image& image, std::uint64_t state, const std::string& where) {
  lay_out(image, ground_.path());
  Trace trace(files_in(ground_.path()));
  std::vector<std::uint64_t> states{state};
  {
    const Disk disk([&](const Operation& operation) { return trace.note(operation); });
    Database board = open_board(ground_.path());
    must(Workload(plan_.seed).call(board, plan_.calls));
    states.push_back(digest_of(board).value_or(0));
    trace.acknowledge();
    must(board.truncate_wal(std::chrono::seconds{30}));
  }
  const std::size_t step = trace.events().size() / k_cuts_of_a_recovery + 1;
  PowerCut cut(trace);
  while (cut.advance()) {
    if (cut.at() % step != 0) {
      continue;
    }
    lay_out(cut.image(Keep::some, random_), ground_.path());
    const Reopened found = reopen(ground_.path());
    ++report_.again;
    const bool after = found.digest == states[1];
    if (!found.refused.empty() || !found.problems.empty() ||
        !(after || (cut.acknowledged() == 0 && found.digest == states[0]))) {
      failed(fmt::format("{}, and again after change {}", where, cut.at()), found);
    }
  }
}

void Judge::failed(const std::string& where, const Reopened& found) {
  ++report_.failed;
  if (report_.failures.size() >= k_failures_told) {
    return;
  }
  std::string what = found.refused;
  if (what.empty() && !found.problems.empty()) {
    what = found.problems.front();
  }
  if (what.empty()) {
    what = "the board is of no state that it may be in";
    for (std::size_t k = 0; k < recording_.states.size(); ++k) {
      if (recording_.states[k] == found.digest) {
        what = fmt::format("the board is as it was after {} calls", k);
      }
    }
  }
  report_.failures.push_back(where + ": " + what);
}

}  // namespace

PowerCutReport cut_power(const PowerCutPlan& plan) { return Judge(plan).run(); }

}  // namespace hermes::test
