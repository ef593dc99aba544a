#include "verbs/fleet.hpp"

#include "kernel/board/gates.hpp"
#include "kernel/board/why.hpp"

namespace hermes::verbs {

namespace {

// A slot that became free within this time may be on its way to the next task.
constexpr Millis k_moment{5000};

}  // namespace

BoardLook look_at(const home::BoardPaths& paths, Instant now, db::Database::Access access,
                  const std::vector<std::string>& profiles) {
  BoardLook look;
  look.slug = paths.slug;
  auto database = db::Database::open(home::files_of(paths), access, now);
  if (!database) {
    look.error = std::move(database).error();
    return look;
  }
  const auto seen = database->read([&](db::Reader& tx) -> Result<void> {
    const board::Stats stats = board::stats(tx);
    look.by_status = stats.by_status;
    look.by_assignee = stats.by_assignee;
    if (stats.archived > 0) {
      look.by_status[Status::archived] = stats.archived;
    }
    look.running = board::running_by_profile(tx);
    look.ended = board::ended_by_profile(tx, now - k_moment);
    look.gates = board::shut_gates(tx);
    for (const std::string& profile : profiles) {
      if (auto failed = board::last_failure(tx, profile)) {
        look.failures.emplace(profile, *std::move(failed));
      }
    }
    look.created_at = board::board_created(tx);
    look.dispatcher_end = board::last_dispatcher_end(tx);
    return {};
  });
  if (!seen) {
    look.error = seen.error();
  }
  return look;
}

std::vector<BoardLook> look_at_boards(const home::Home& home, Instant now, std::string_view except,
                                      const std::vector<std::string>& profiles) {
  std::vector<BoardLook> looks;
  for (const std::string& slug : home::list_boards(home)) {
    if (slug != except) {
      looks.push_back(look_at(home.board(slug), now, db::Database::Access::read, profiles));
    }
  }
  return looks;
}

Json counts_json(const std::map<Status, std::int64_t>& counts) {
  Json out = Json::object();
  for (const auto& [status, n] : counts) {
    out[std::string(to_word(status))] = n;
  }
  return out;
}

}  // namespace hermes::verbs
