#include "kernel/board/decisions.hpp"

#include "kernel/board/claims.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/snapshot.hpp"

namespace hermes::board {

bool Decisions::empty() const {
  return !rebase_clock && finish.empty() && wake.empty() && expire.empty() && stale.empty();
}

int carry_out(Change& change, const Decisions& decisions) {
  int effects = 0;
  const auto count = [&](bool changed) { effects += changed ? 1 : 0; };
  const auto verdict_of = [&](std::int64_t run_id) {
    const auto known = decisions.verdicts.find(run_id);
    return known == decisions.verdicts.end() ? VerdictMode::by_call : known->second;
  };
  if (decisions.rebase_clock) {
    rebase_clock(change);
    count(true);
  }
  for (const rules::FinishRun& finished : decisions.finish) {
    count(finish_run(change, finished.run_id, finished.exit, verdict_of(finished.run_id)));
  }
  for (const std::string& task_id : decisions.wake) {
    count(wake_task(change, task_id));
  }
  for (const std::int64_t run_id : decisions.expire) {
    count(expire_claim(change, run_id));
  }
  for (const std::int64_t run_id : decisions.stale) {
    count(stop_stale(change, run_id, verdict_of(run_id)));
  }
  return effects;
}

}  // namespace hermes::board
