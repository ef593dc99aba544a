#pragma once

#include <string>

#include "verbs/call.hpp"

// What people are shown of an answer: one printer per topic, all of them from the JSON that every
// surface gets.
namespace hermes::cli {

struct Style {
  bool colour = false;
  // Standard output is one: control characters of logs are shown instead of obeyed.
  bool terminal = false;
  std::size_t columns = 0;         // lists are cut to this width; 0: they are not
  std::size_t help_columns = 100;  // help is broken at this width
};

// As standard output and the environment (NO_COLOR, CLICOLOR_FORCE, TERM) want it.
Style style_of_output();

using Printer = std::string (*)(const verbs::Answer& answer, const Style& style);

// The printer of a verb; null when it prints nothing of its own.
Printer printer_of(const verbs::Verb& verb);

std::string print_created(const verbs::Answer& answer, const Style& style);
std::string print_list(const verbs::Answer& answer, const Style& style);
std::string print_show(const verbs::Answer& answer, const Style& style);
std::string print_runs(const verbs::Answer& answer, const Style& style);
std::string print_text(const verbs::Answer& answer, const Style& style);  // context, log
std::string print_why(const verbs::Answer& answer, const Style& style);
std::string print_diagnostics(const verbs::Answer& answer, const Style& style);
// The findings of one task, each line with `indent` in front.
std::string diagnostics_block(const verbs::Json& diagnostics, std::string_view indent);
std::string print_inspected(const verbs::Answer& answer, const Style& style);
std::string print_subscribed(const verbs::Answer& answer, const Style& style);
std::string print_unsubscribed(const verbs::Answer& answer, const Style& style);
std::string print_subscriptions(const verbs::Answer& answer, const Style& style);
std::string print_stats(const verbs::Answer& answer, const Style& style);
std::string print_imported(const verbs::Answer& answer, const Style& style);
std::string print_claimed(const verbs::Answer& answer, const Style& style);
std::string print_heartbeat(const verbs::Answer& answer, const Style& style);
std::string print_completed(const verbs::Answer& answer, const Style& style);
std::string print_blocked(const verbs::Answer& answer, const Style& style);
std::string print_unblocked(const verbs::Answer& answer, const Style& style);
std::string print_promoted(const verbs::Answer& answer, const Style& style);
std::string print_specified(const verbs::Answer& answer, const Style& style);
std::string print_decomposed(const verbs::Answer& answer, const Style& style);
std::string print_scheduled(const verbs::Answer& answer, const Style& style);
std::string print_review_requested(const verbs::Answer& answer, const Style& style);
std::string print_changes_requested(const verbs::Answer& answer, const Style& style);
std::string print_review_reopened(const verbs::Answer& answer, const Style& style);
std::string print_edited(const verbs::Answer& answer, const Style& style);
std::string print_model(const verbs::Answer& answer, const Style& style);
std::string print_swarm(const verbs::Answer& answer, const Style& style);
std::string print_assignees(const verbs::Answer& answer, const Style& style);
std::string print_reclaimed(const verbs::Answer& answer, const Style& style);
std::string print_archived(const verbs::Answer& answer, const Style& style);
std::string print_commented(const verbs::Answer& answer, const Style& style);
std::string print_linked(const verbs::Answer& answer, const Style& style);
std::string print_unlinked(const verbs::Answer& answer, const Style& style);
std::string print_assigned(const verbs::Answer& answer, const Style& style);
std::string print_boards(const verbs::Answer& answer, const Style& style);
std::string print_board_created(const verbs::Answer& answer, const Style& style);
std::string print_board(const verbs::Answer& answer, const Style& style);
std::string print_board_switched(const verbs::Answer& answer, const Style& style);
std::string print_board_renamed(const verbs::Answer& answer, const Style& style);
std::string print_board_workdir(const verbs::Answer& answer, const Style& style);
std::string print_board_removed(const verbs::Answer& answer, const Style& style);
std::string print_board_exported(const verbs::Answer& answer, const Style& style);
std::string print_board_imported(const verbs::Answer& answer, const Style& style);
std::string print_backup(const verbs::Answer& answer, const Style& style);
std::string print_restored(const verbs::Answer& answer, const Style& style);
std::string print_repaired(const verbs::Answer& answer, const Style& style);
std::string print_gc(const verbs::Answer& answer, const Style& style);
std::string print_attached(const verbs::Answer& answer, const Style& style);
std::string print_attachments(const verbs::Answer& answer, const Style& style);
std::string print_attachment_removed(const verbs::Answer& answer, const Style& style);
std::string print_profiles(const verbs::Answer& answer, const Style& style);
std::string print_profile(const verbs::Answer& answer, const Style& style);
std::string print_profile_templates(const verbs::Answer& answer, const Style& style);
std::string print_profile_created(const verbs::Answer& answer, const Style& style);
std::string print_profile_resumed(const verbs::Answer& answer, const Style& style);
std::string print_profile_edited(const verbs::Answer& answer, const Style& style);
std::string print_profile_renamed(const verbs::Answer& answer, const Style& style);
std::string print_profile_exported(const verbs::Answer& answer, const Style& style);
std::string print_profile_checked(const verbs::Answer& answer, const Style& style);
std::string print_goal(const verbs::Answer& answer, const Style& style);
std::string print_profile_deleted(const verbs::Answer& answer, const Style& style);
std::string print_config(const verbs::Answer& answer, const Style& style);
std::string print_dispatcher_status(const verbs::Answer& answer, const Style& style);
std::string print_dispatcher_started(const verbs::Answer& answer, const Style& style);
std::string print_dispatcher_stopped(const verbs::Answer& answer, const Style& style);
std::string print_dispatcher_installed(const verbs::Answer& answer, const Style& style);
std::string print_dispatcher_uninstalled(const verbs::Answer& answer, const Style& style);
std::string print_init(const verbs::Answer& answer, const Style& style);
std::string print_version(const verbs::Answer& answer, const Style& style);
std::string print_selftest(const verbs::Answer& answer, const Style& style);
std::string print_doctor(const verbs::Answer& answer, const Style& style);

std::string print_help(const verbs::Answer& answer, const Style& style);
std::string print_candidates(const verbs::Answer& answer, const Style& style);

// One line for each attachment, for `show` and `attachments`.
std::string attachment_lines(const verbs::Json& attachments);

// A picture of the board for `list --watch`: `rows` lines, each ending in what clears the rest of
// its line, the last without a line break.
std::string screen_text(const verbs::Json& picture, const Style& style, std::size_t rows,
                        std::size_t columns, Instant now);

std::string stream_header(const verbs::Json& facts);
// One event; `now` decides whether its date is said.
std::string stream_line(const verbs::Json& item, Instant now);

}  // namespace hermes::cli
