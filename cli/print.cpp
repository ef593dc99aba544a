#include "cli/print.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kernel/base/terminal.hpp"
#include "verbs/handlers.hpp"

namespace hermes::cli {

namespace {

std::string_view variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

// no-color.org: set and not empty. bixense.com/clicolors: CLICOLOR_FORCE goes for pipes too.
bool wants_colour(bool terminal) {
  if (!variable("NO_COLOR").empty()) {
    return false;
  }
  if (const auto force = variable("CLICOLOR_FORCE"); !force.empty() && force != "0") {
    return true;
  }
  return terminal && variable("TERM") != "dumb" && !variable("TERM").empty();
}

}  // namespace

Style style_of_output() {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return {wants_colour(terminal), terminal, terminal_columns(STDOUT_FILENO),
          help_columns(STDOUT_FILENO)};
}

Printer printer_of(const verbs::Verb& verb) {
  static constexpr auto k_printers = std::to_array<std::pair<verbs::Handler, Printer>>({
      {verbs::create, print_created},
      {verbs::list, print_list},
      {verbs::show, print_show},
      {verbs::runs, print_runs},
      {verbs::context, print_text},
      {verbs::log, print_text},
      {verbs::why, print_why},
      {verbs::diagnostics, print_diagnostics},
      {verbs::inspect, print_inspected},
      {verbs::notify_subscribe, print_subscribed},
      {verbs::notify_unsubscribe, print_unsubscribed},
      {verbs::notify_list, print_subscriptions},
      {verbs::stats, print_stats},
      {verbs::import_board, print_imported},
      {verbs::claim, print_claimed},
      {verbs::heartbeat, print_heartbeat},
      {verbs::complete, print_completed},
      {verbs::block, print_blocked},
      {verbs::unblock, print_unblocked},
      {verbs::promote, print_promoted},
      {verbs::specify, print_specified},
      {verbs::decompose, print_decomposed},
      {verbs::schedule, print_scheduled},
      {verbs::request_review, print_review_requested},
      {verbs::request_changes, print_changes_requested},
      {verbs::reopen_review, print_review_reopened},
      {verbs::edit, print_edited},
      {verbs::set_model, print_model},
      {verbs::swarm, print_swarm},
      {verbs::assignees, print_assignees},
      {verbs::reclaim, print_reclaimed},
      {verbs::archive, print_archived},
      {verbs::comment, print_commented},
      {verbs::link, print_linked},
      {verbs::unlink, print_unlinked},
      {verbs::init, print_init},
      {verbs::version, print_version},
      {verbs::doctor, print_doctor},
      {verbs::selftest, print_selftest},
      {verbs::board_doctor, print_doctor},
      {verbs::assign, print_assigned},
      {verbs::reassign, print_assigned},
      {verbs::boards_list, print_boards},
      {verbs::boards_create, print_board_created},
      {verbs::boards_show, print_board},
      {verbs::boards_switch, print_board_switched},
      {verbs::boards_rename, print_board_renamed},
      {verbs::boards_set_default_workdir, print_board_workdir},
      {verbs::boards_rm, print_board_removed},
      {verbs::boards_export, print_board_exported},
      {verbs::boards_import, print_board_imported},
      {verbs::backup, print_backup},
      {verbs::restore, print_restored},
      {verbs::repair, print_repaired},
      {verbs::gc, print_gc},
      {verbs::attach, print_attached},
      {verbs::attachments, print_attachments},
      {verbs::attach_rm, print_attachment_removed},
      {verbs::profile_list, print_profiles},
      {verbs::profile_show, print_profile},
      {verbs::profile_create, print_profile_created},
      {verbs::profile_templates, print_profile_templates},
      {verbs::profile_edit, print_profile_edited},
      {verbs::profile_describe, print_profile_edited},
      {verbs::profile_rename, print_profile_renamed},
      {verbs::profile_export, print_profile_exported},
      {verbs::profile_install, print_profile_created},
      {verbs::profile_check, print_profile_checked},
      {verbs::goal, print_goal},
      {verbs::profile_delete, print_profile_deleted},
      {verbs::profile_resume, print_profile_resumed},
      {verbs::config_show, print_config},
      {verbs::dispatcher_status, print_dispatcher_status},
      {verbs::dispatcher_start, print_dispatcher_started},
      {verbs::dispatcher_stop, print_dispatcher_stopped},
      {verbs::dispatcher_restart, print_dispatcher_started},
      {verbs::dispatcher_install, print_dispatcher_installed},
      {verbs::dispatcher_uninstall, print_dispatcher_uninstalled},
      {verbs::tail, nullptr},
      {verbs::watch, nullptr},
      {verbs::daemon, nullptr},
      {verbs::help, print_help},
      {verbs::completion, print_text},
      {verbs::complete_line, print_candidates},
  });
  const auto* found =
      std::ranges::find(k_printers, verb.handler, &std::pair<verbs::Handler, Printer>::first);
  return found == k_printers.end() ? nullptr : found->second;
}

}  // namespace hermes::cli
