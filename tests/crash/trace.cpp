#include "crash/trace.hpp"

#include <algorithm>

namespace hermes::test {

namespace {

constexpr std::size_t k_sector = 512;

bool is_log(std::string_view file) { return file.ends_with("-wal") || file.ends_with("-journal"); }

void put(std::string& content, std::size_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) {
    content.resize(offset + bytes.size(), '\0');
  }
  content.replace(offset, bytes.size(), bytes);
}

void put(std::string& content, const Trace::Event& event) {
  const auto offset = static_cast<std::size_t>(event.offset);
  if (event.kind == Trace::Event::Kind::truncate) {
    content.resize(offset, '\0');
  } else {
    put(content, offset, event.data);
  }
}

// Some sectors of a write have reached the disk, or only its beginning.
void put_torn(std::string& content, const Trace::Event& event, Random& random) {
  const auto offset = static_cast<std::size_t>(event.offset);
  const std::string_view data = event.data;
  if (data.empty()) {  // a truncation: it was done or it was not
    return;
  }
  if (random.next() % 4 == 0) {
    put(content, offset, data.substr(0, random.next() % data.size()));
    return;
  }
  for (std::size_t from = 0; from < data.size();) {
    const std::size_t size = std::min(data.size() - from, k_sector - (offset + from) % k_sector);
    if (random.next() % 2 == 0) {
      put(content, offset + from, data.substr(from, size));
    }
    from += size;
  }
}

}  // namespace

Trace::Trace(Image before) : before_(std::move(before)) {
  for (const auto& [name, content] : before_) {
    fresh_.emplace(name, false);
  }
}

Answer Trace::note(const Operation& operation) {
  using Kind = Event::Kind;
  const std::string file(operation.file);
  if (file.ends_with("-shm")) {
    return {};
  }
  switch (operation.kind) {
    case Touch::open:
      if (fresh_.try_emplace(file, true).second) {
        add({.kind = Kind::create, .file = file});
      }
      break;
    case Touch::remove:
      fresh_.erase(file);
      add({.kind = Kind::remove, .file = file, .with_directory = operation.flags != 0});
      break;
    case Touch::write:
      add({Kind::write, file, operation.offset, std::string(operation.data)});
      break;
    case Touch::truncate:
      add({Kind::truncate, file, operation.size});
      break;
    case Touch::sync: {
      // A new log syncs the directory with its first sync; a database does not.
      const auto found = fresh_.find(file);
      const bool first = found != fresh_.end() && found->second && is_log(file);
      if (first) {
        found->second = false;
      }
      add({.kind = Kind::sync, .file = file, .with_directory = first});
      break;
    }
    case Touch::sync_directory:
      add({.kind = Kind::sync_directory});
      break;
    default:
      break;
  }
  return {};
}

void Trace::acknowledge() { add({.kind = Event::Kind::acknowledge}); }

PowerCut::PowerCut(const Trace& trace) : trace_(&trace) {
  for (const auto& [name, content] : trace.before()) {
    names_[name] = std::make_shared<Content>(Content{content, {}});
  }
  safe_names_.insert(names_.begin(), names_.end());
}

bool PowerCut::advance(bool lies) {
  while (next_ < trace_->events().size()) {
    const Trace::Event& event = trace_->events()[next_++];
    if (event.kind != Trace::Event::Kind::acknowledge) {
      apply(event, lies);
      ++changes_;
      return true;
    }
    ++acknowledged_;
  }
  return false;
}

void PowerCut::apply(const Trace::Event& event, bool lies) {
  using Kind = Trace::Event::Kind;
  switch (event.kind) {
    case Kind::create:
      names_[event.file] = std::make_shared<Content>();
      break;
    case Kind::remove:
      names_.erase(event.file);
      break;
    case Kind::write:
    case Kind::truncate:
      names_.at(event.file)->pending.push_back(&event);
      break;
    case Kind::sync:
      if (!lies) {
        Content& file = *names_.at(event.file);
        for (const Trace::Event* change : file.pending) {
          put(file.safe, *change);
        }
        file.pending.clear();
      }
      break;
    case Kind::sync_directory:
    case Kind::acknowledge:
      break;
  }
  if (!lies && (event.with_directory || event.kind == Kind::sync_directory)) {
    safe_names_ = names_;
  }
}

std::size_t PowerCut::pending() const {
  std::size_t all = 0;
  for (const auto& [name, file] : names_) {
    all += file->pending.size();
  }
  return all;
}

Image PowerCut::image(Keep keep, Random& random) const {
  Image image;
  const auto add = [&](const std::string& name, const Content& file) {
    image[name] = content(file, keep, random);
  };
  const auto choose_now = [&] {
    return keep == Keep::everything || (keep == Keep::some && random.next() % 2 == 0);
  };
  for (const auto& [name, file] : names_) {
    const auto safe = safe_names_.find(name);
    const bool unchanged = safe != safe_names_.end() && safe->second == file;
    if (unchanged || choose_now()) {
      add(name, *file);
    } else if (safe != safe_names_.end()) {
      add(name, *safe->second);
    }
  }
  for (const auto& [name, file] : safe_names_) {
    if (!names_.contains(name) && !choose_now()) {
      add(name, *file);
    }
  }
  return image;
}

std::string PowerCut::content(const Content& file, Keep keep, Random& random) {
  std::string content = file.safe;
  if (keep == Keep::nothing || file.pending.empty()) {
    return content;
  }
  if (keep == Keep::everything) {
    for (const Trace::Event* change : file.pending) {
      put(content, *change);
    }
    return content;
  }
  // A disk that keeps the order up to some write; one that has done the newest first; one that
  // has done any.
  const std::uint64_t manner = random.next() % 4;
  const std::size_t border = random.next() % file.pending.size();
  for (std::size_t i = 0; i < file.pending.size(); ++i) {
    const std::uint64_t luck = random.next() % 3;
    const bool whole = manner == 0 ? i < border : manner == 1 ? i > border : luck == 0;
    const bool torn = manner < 2 ? i == border : luck == 1;
    if (whole) {
      put(content, *file.pending[i]);
    } else if (torn) {
      put_torn(content, *file.pending[i], random);
    }
  }
  return content;
}

}  // namespace hermes::test
