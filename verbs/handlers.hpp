#pragma once

#include "verbs/call.hpp"

// The handlers that the table names, one file per topic.
namespace hermes::verbs {

Result<Answer> mcp(Call& call);
Result<Answer> init(Call& call);
Result<Answer> version(Call& call);
Result<Answer> doctor(Call& call);
Result<Answer> board_doctor(Call& call);

inline constexpr std::int64_t k_selftest_seeds = 1000;
Result<Answer> selftest(Call& call);
Result<Answer> config_show(Call& call);
Result<Answer> help(Call& call);
Result<Answer> completion(Call& call);
Result<Answer> complete_line(Call& call);

Result<Answer> dispatcher_status(Call& call);
Result<Answer> dispatcher_start(Call& call);
Result<Answer> dispatcher_stop(Call& call);
Result<Answer> dispatcher_restart(Call& call);
Result<Answer> dispatcher_install(Call& call);
Result<Answer> dispatcher_uninstall(Call& call);

Result<Answer> profile_list(Call& call);
Result<Answer> profile_show(Call& call);
Result<Answer> profile_create(Call& call);
Result<Answer> profile_templates(Call& call);
Result<Answer> profile_edit(Call& call);
Result<Answer> profile_describe(Call& call);
Result<Answer> profile_rename(Call& call);
Result<Answer> profile_export(Call& call);
Result<Answer> profile_install(Call& call);
Result<Answer> profile_check(Call& call);
Result<Answer> profile_delete(Call& call);
Result<Answer> profile_resume(Call& call);

Result<Answer> boards_list(Call& call);
Result<Answer> boards_create(Call& call);
Result<Answer> boards_show(Call& call);
Result<Answer> boards_switch(Call& call);
Result<Answer> boards_rename(Call& call);
Result<Answer> boards_set_default_workdir(Call& call);
Result<Answer> boards_rm(Call& call);
Result<Answer> boards_export(Call& call);
Result<Answer> boards_import(Call& call);
Result<Answer> backup(Call& call);
Result<Answer> restore(Call& call);
Result<Answer> repair(Call& call);
Result<Answer> gc(Call& call);

Result<Answer> create(Call& call);
Result<Answer> swarm(Call& call);
Result<Answer> list(Call& call);
Result<Answer> show(Call& call);
Result<Answer> runs(Call& call);
Result<Answer> context(Call& call);
Result<Answer> goal(Call& call);
Result<Answer> why(Call& call);
Result<Answer> diagnostics(Call& call);
Result<Answer> inspect(Call& call);
Result<Answer> notify_subscribe(Call& call);
Result<Answer> notify_list(Call& call);
Result<Answer> notify_unsubscribe(Call& call);
Result<Answer> stats(Call& call);
Result<Answer> import_board(Call& call);
Result<Answer> assignees(Call& call);

Result<Answer> claim(Call& call);
Result<Answer> heartbeat(Call& call);
Result<Answer> complete(Call& call);
Result<Answer> block(Call& call);
Result<Answer> unblock(Call& call);
Result<Answer> promote(Call& call);
Result<Answer> specify(Call& call);
Result<Answer> decompose(Call& call);
Result<Answer> schedule(Call& call);
Result<Answer> request_review(Call& call);
Result<Answer> request_changes(Call& call);
Result<Answer> reopen_review(Call& call);
Result<Answer> reclaim(Call& call);
Result<Answer> archive(Call& call);

Result<Answer> assign(Call& call);
Result<Answer> reassign(Call& call);
Result<Answer> edit(Call& call);
Result<Answer> set_model(Call& call);

Result<Answer> comment(Call& call);
Result<Answer> attach(Call& call);
Result<Answer> attachments(Call& call);
Result<Answer> attach_rm(Call& call);
Result<Answer> link(Call& call);
Result<Answer> unlink(Call& call);

Result<Answer> log(Call& call);
Result<Answer> watch(Call& call);
Result<Answer> tail(Call& call);

Result<Answer> daemon(Call& call);
Result<Answer> dispatch(Call& call);

}  // namespace hermes::verbs
