#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/base/error.hpp"

// Changing one value in the text of a TOML file that people keep: whatever else stands in it, order
// and comments too, stays as it is.
namespace hermes::home {

// `path` is a key of the file, or "<section>.<key>". `value` is written as TOML and takes the place
// of the present value; without one the key's lines go. A new key comes after the last one of its
// section, and a new section at the end. Error: invalid: the text is no TOML, the path is none, or
// the file is written in a way in which this cannot be done (it is then to be edited by hand).
Result<std::string> with_setting(std::string_view text, const std::string& path,
                                 const std::optional<std::string>& value,
                                 const std::string& file_name);

// What somebody wrote after "KEY=" as TOML: itself where it is a value of TOML, else a text.
std::string toml_value(std::string_view given);

}  // namespace hermes::home
