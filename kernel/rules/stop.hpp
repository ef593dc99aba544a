#pragma once

#include "kernel/model/words.hpp"

namespace hermes::rules {

// What becomes of an intent to stop a run where another one stands already.
enum class SecondStop {
  joins,     // the one that stands leads to the same end, or to more, and goes on standing
  replaces,  // it is written in the place of the one that stands
  refused,   // the one that stands would undo it, so who asks must not be told that it is done
};

// Archiving goes before everything, and everything else that a person asks for would undo it; a
// person goes before `stale`, which counts a failure; `stale` goes before nothing.
SecondStop second_stop(StopKind standing, StopKind asked);

}  // namespace hermes::rules
