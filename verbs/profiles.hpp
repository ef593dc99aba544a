#pragma once

#include <string>
#include <vector>

#include "kernel/home/profile.hpp"
#include "verbs/call.hpp"
#include "verbs/fleet.hpp"

// What the verbs about profiles have in common.
namespace hermes::verbs {

// What all boards of the home hold for one profile.
struct Load {
  std::int64_t running = 0;     // live workers
  std::int64_t waiting = 0;     // ready tasks
  std::int64_t assigned = 0;    // tasks that are neither done nor archived
  Json paused = Json::array();  // on which boards, until when and why
  Json last_failure;            // of its last runs on any board; null
};
Load load_of(const std::vector<BoardLook>& looks, const std::string& profile);

// A profile with what it has to do, for one that is asked for; a broken one has an `error`.
Json profile_json(Call& call, const home::Home& home, const std::string& name);

// The arguments of a command as they may be shown.
Json masked_arguments(const std::vector<std::string>& arguments);

// What `limits` of a profile says; 0 and "" where it says nothing.
Json limits_of_profile(const home::Profile& profile);

// The profile that the call names.
Result<std::string> given_profile_name(const Call& call);

// Error: conflict: a board cannot be read, so nobody knows what is needed there.
Result<void> refuse_unseen(const std::vector<BoardLook>& looks);

// A placeholder that is none would reach the worker as it stands.
void tell_unknown_placeholders(const std::vector<std::string>& command, Answer& answer);

}  // namespace hermes::verbs
