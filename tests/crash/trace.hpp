#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crash/disk.hpp"
#include "kernel/base/random.hpp"

namespace hermes::test {

// The files of a directory: name to content.
using Image = std::map<std::string, std::string>;

// Everything that has changed files, in one order, and what was acknowledged in between.
class Trace {
 public:
  struct Event {
    enum class Kind { create, remove, write, truncate, sync, sync_directory, acknowledge };
    Kind kind;
    std::string file;
    std::int64_t offset = 0;  // write; truncate: the new size
    std::string data;         // write
    bool with_directory = false;
  };

  // `before`: what is there and safe on the disk when it begins.
  explicit Trace(Image before);

  Answer note(const Operation& operation);  // a Disk's rule
  void acknowledge();

  const Image& before() const { return before_; }
  const std::vector<Event>& events() const { return events_; }

 private:
  void add(Event event) { events_.push_back(std::move(event)); }

  Image before_;
  std::map<std::string, bool> fresh_;  // of files that are there: created and not yet synced
  std::vector<Event> events_;
};

// What may be left of writes that were not synced when the power went.
enum class Keep { nothing, everything, some };

// A disk as it follows a trace, with what is safe on it and what is only on its way.
class PowerCut {
 public:
  explicit PowerCut(const Trace& trace);

  // Goes on to behind the next event that changes the disk; false at the end. When the disk `lies`,
  // it says that it has synced and has not.
  bool advance(bool lies = false);

  const Trace::Event& last() const { return trace_->events()[next_ - 1]; }
  std::size_t at() const { return changes_; }  // how many events have changed the disk
  std::size_t acknowledged() const { return acknowledged_; }
  std::size_t pending() const;  // writes and truncations on their way

  Image image(Keep keep, Random& random) const;

 private:
  struct Content {
    std::string safe;
    std::vector<const Trace::Event*> pending;
  };
  using File = std::shared_ptr<Content>;

  void apply(const Trace::Event& event, bool lies);
  static std::string content(const Content& file, Keep keep, Random& random);

  const Trace* trace_;
  std::size_t next_ = 0;
  std::size_t changes_ = 0;
  std::size_t acknowledged_ = 0;
  std::map<std::string, File> names_;       // as programs see the directory
  std::map<std::string, File> safe_names_;  // as it is on the disk
};

}  // namespace hermes::test
