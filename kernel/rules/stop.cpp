#include "kernel/rules/stop.hpp"

namespace hermes::rules {

SecondStop second_stop(StopKind standing, StopKind asked) {
  if (asked == standing || asked == StopKind::stale) {
    return SecondStop::joins;
  }
  if (standing == StopKind::archive) {
    return SecondStop::refused;
  }
  return asked == StopKind::archive || standing == StopKind::stale ? SecondStop::replaces
                                                                   : SecondStop::joins;
}

}  // namespace hermes::rules
