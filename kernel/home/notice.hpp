#pragma once

#include <optional>
#include <string>

#include "kernel/home/paths.hpp"

namespace hermes::home {

// What a living dispatcher has to say to people who ask `why` or `doctor`: small files in run/,
// which a restart forgets. A topic is "starts" (text: until when in ms, a blank, the reason),
// "caps" (the caps that it applies: of all workers, a blank, of one profile or "-") or
// "board.<slug>".
void set_notice(const Home& home, const std::string& topic, const std::string& text);
void clear_notice(const Home& home, const std::string& topic);
std::optional<std::string> read_notice(const Home& home, const std::string& topic);

inline std::string board_topic(const std::string& slug) { return "board." + slug; }
inline constexpr const char* k_starts_topic = "starts";
inline constexpr const char* k_caps_topic = "caps";

}  // namespace hermes::home
