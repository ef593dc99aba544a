#include "daemon/settings.hpp"

#include <fmt/core.h>
#include <sys/inotify.h>

#include <array>

#include "daemon/logger.hpp"

namespace hermes::daemon {

namespace {

constexpr std::uint32_t k_changes =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE;

}  // namespace

Settings::Settings(home::Home home, Options options)
    : home_(std::move(home)),
      options_(std::move(options)),
      watch_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

Result<void> Settings::load() {
  watch_everything();
  TRY_ASSIGN(config_, home::load_config(home_));
  refresh();
  return {};
}

void Settings::take_changes() {
  std::array<char, 4096> events{};
  while (::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  stale_ = true;
}

void Settings::refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (!stale_ && now - read_at_ < config_.interval) {  // the safety net reads everything again too
    return;
  }
  stale_ = false;
  read_at_ = now;
  watch_everything();  // before reading: a change after it is seen
  if (auto config = home::load_config(home_)) {
    config_ = std::move(*config);
    complaints_.erase("");
  } else {
    config_.planner.automatic = AutoPlan::off;  // a switch that cannot be read is off
    if (complaints_[""] != config.error().message) {
      complaints_[""] = config.error().message;
      log_warning("config.toml keeps its old values: " + one_line(config.error()));
    }
  }
  config_.interval = options_.interval.value_or(config_.interval);
  config_.limits.max_in_progress =
      options_.max_in_progress.value_or(config_.limits.max_in_progress);
  config_.limits.failure_limit = options_.failure_limit.value_or(config_.limits.failure_limit);
  read_profiles();
}

void Settings::read_profiles() {
  std::map<std::string, home::Profile> found;
  for (const std::string& name : home::list_profiles(home_)) {
    if (auto profile = home::load_profile(home_, name)) {
      if (!profiles_.contains(name)) {
        log_debug("profile '" + name + "' can be used");
      }
      found.emplace(name, std::move(*profile));
      complaints_.erase(name);
      continue;
    } else if (complaints_[name] != profile.error().message) {
      complaints_[name] = profile.error().message;
      log_warning(fmt::format("profile '{}' cannot be used{}: {}", name,
                              profiles_.contains(name) ? ", it goes on as it was" : "",
                              one_line(profile.error())));
    }
    if (const auto old = profiles_.find(name); old != profiles_.end()) {
      found.insert(*old);
    }
  }
  profiles_ = std::move(found);
}

void Settings::watch_everything() {
  if (!watch_) {
    return;
  }
  // Adding a watch that is there already changes nothing. The home itself sees run/ and current
  // come and go, nothing busy.
  ::inotify_add_watch(watch_.get(), home_.dir.c_str(), k_changes);
  ::inotify_add_watch(watch_.get(), home_.boards().c_str(), k_changes);
  ::inotify_add_watch(watch_.get(), home_.profiles().c_str(), k_changes);
  // Every directory there, also one that has no profile.toml yet: it is about to get one.
  std::error_code problem;
  home::fs::directory_iterator entry(home_.profiles(), problem);
  for (; !problem && entry != home::fs::directory_iterator(); entry.increment(problem)) {
    if (entry->is_directory(problem)) {
      ::inotify_add_watch(watch_.get(), entry->path().c_str(), k_changes);
    }
  }
}

std::map<std::string, VerdictMode> Settings::verdicts() const {
  std::map<std::string, VerdictMode> modes;
  for (const auto& [name, profile] : profiles_) {
    modes.emplace(name, profile.verdict);
  }
  return modes;
}

}  // namespace hermes::daemon
