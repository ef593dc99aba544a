#pragma once

#include <functional>

#include "churn/ground.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::churn {

// Does something at random moments, in the mean every `mean`.
class NowAndThen {
 public:
  NowAndThen(Random& random, Millis mean, std::function<void()> act)
      : random_(random), mean_(mean), act_(std::move(act)) {
    draw();
  }
  void turn() {
    if (Clock::now() >= next_) {
      act_();
      draw();
    }
  }

 private:
  void draw() {
    next_ = Clock::now() + Millis{random_() % static_cast<std::uint64_t>(2 * mean_.count() + 1)};
  }

  Random& random_;
  Millis mean_;
  std::function<void()> act_;
  Clock::time_point next_;
};

}  // namespace hermes::churn
