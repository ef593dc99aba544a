#pragma once

#include <string_view>

namespace hermes::systemd {

// hermes-dispatcher.service.in, embedded at build time.
std::string_view unit_template();

}  // namespace hermes::systemd
