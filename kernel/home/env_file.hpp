#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kernel/home/profile.hpp"

// The secrets of one profile: a file of NAME=VALUE lines that only its owner may read. It is read
// when a worker starts and goes nowhere but into that worker's environment: not into what shows,
// exports or backs up profiles.
namespace hermes::home {

// Where the profile's env_file lies: a relative path counts from the profile's directory.
fs::path env_file_of(const Home& home, const Profile& profile);

// What it sets; nothing when the profile names none. Error: invalid: it is not there, is no regular
// file, belongs to somebody else, can be read by others, is too long, or has a line that is none. A
// message names the line, never what stands in it.
Result<std::map<std::string, std::string>> load_env_file(const Home& home, const Profile& profile);

// A line is NAME=VALUE, blank, or begins with '#'. The value is taken as it stands, but for one
// pair of quotation marks around it; nothing in it is replaced.
Result<std::map<std::string, std::string>> parse_env_file(std::string_view text,
                                                          const std::string& file_name);

}  // namespace hermes::home
