// hermes-dispatcher: parses its flags, takes the home's lock, and runs the loop.
#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "daemon/dispatcher.hpp"
#include "daemon/dry_run.hpp"
#include "daemon/logger.hpp"
#include "daemon/own_unit.hpp"
#include "daemon/report.hpp"
#include "daemon/run_dir.hpp"
#include "daemon/service.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/terminal.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/dispatcher_lock.hpp"
#include "kernel/home/worker.hpp"

namespace hermes::daemon {
namespace {

// What no restart heals, and what one may; the service's unit acts upon them (sysexits.h).
constexpr int k_exit_configuration = 78;
constexpr int k_exit_newer_schema = 75;
constexpr Millis k_once_patience{30'000};
constexpr std::size_t k_proc_bytes = 64 * 1024;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Says why there is no dispatcher; gives the exit status.
int refuse(const Error& error) {
  ServiceManager::tell_refusal(error.message);
  fmt::print(stderr, "hermes-dispatcher: {}\n", printable(error.message));
  if (!error.hint.empty()) {
    fmt::print(stderr, "  → {}\n", printable(error.hint));
  }
  return traits(error.code).exit_status;
}

bool is_pid(std::string_view text) {
  return !trim(text).empty() &&
         trim(text).find_first_not_of("0123456789") == std::string_view::npos;
}

class Pidfile {
 public:
  static Result<Pidfile> write(const std::optional<std::string>& path) {
    if (path) {
      if (const auto old = read_file(*path, 64);
          !(old && is_pid(*old)) && !(!old && old.error().code == ErrorCode::not_found)) {
        return fail(ErrorCode::usage,
                    fmt::format("--pidfile {} exists and holds no PID", printable(*path)),
                    "name another file");
      }
      TRY(write_file_atomically(home::fs::absolute(*path), fmt::format("{}\n", ::getpid()), 0644));
    }
    return Pidfile(path);
  }
  Pidfile(Pidfile&& other) noexcept : path_(std::exchange(other.path_, std::nullopt)) {}
  Pidfile& operator=(Pidfile&&) = delete;
  ~Pidfile() {
    if (path_) {
      ::unlink(path_->c_str());
    }
  }

 private:
  explicit Pidfile(std::optional<std::string> path) : path_(std::move(path)) {}
  std::optional<std::string> path_;
};

// What ends a pass of --once or --finish: nothing left to do, or enough patience.
bool pass_is_over(const Options& options, const Dispatcher& dispatcher, MonotonicTime began) {
  if (options.mode == Options::Mode::serve) {
    return false;
  }
  const bool waits = options.mode == Options::Mode::finish && dispatcher.stops_pending();
  const bool patient = std::chrono::steady_clock::now() - began < k_once_patience;
  return (dispatcher.idle() && !waits) || (!patient && !dispatcher.makes_trees());
}

std::string status_text(const Dispatcher& dispatcher) {
  std::size_t troubled = 0;
  for (const auto& desk : dispatcher.desks()) {
    troubled += desk->trouble() ? 1 : 0;
  }
  return fmt::format("boards: {}, workers running: {}, tasks waiting: {}{}",
                     dispatcher.desks().size(), dispatcher.running(), dispatcher.waiting(),
                     troubled > 0 ? fmt::format(", boards in trouble: {}", troubled) : "");
}

// `lock`: the home's lock, held by us for as long as it is the file at its path. `may_start`: else
// only what has ended is finished, and what is due released.
int serve(const Options& options, const home::Home& home, Settings& settings,
          const home::fs::path& shim, int lock, bool may_start) {
  const HostIdentity host = this_host();
  const std::string holder = fmt::format("{}/{}/{}/{}", host.machine, host.boot, ::getpid(),
                                         process_start(::getpid()).value_or(0));
  std::string reason = "ended in order";
  int status = 0;
  ServiceManager manager;
  const auto began = std::chrono::steady_clock::now();

  // The loop outlives whatever watches descriptors with it; the two are tied here, before it runs.
  Loop* running = nullptr;
  Dispatcher* settling = nullptr;
  Loop loop([&]() -> std::optional<MonotonicTime> {
    auto next = settling->settle();
    if (settling->fenced_off() || !is_still_at(lock, home.dispatcher_lock())) {
      reason = "another dispatcher serves this home now";
      status = traits(ErrorCode::locked).exit_status;
      log_error(reason);
      running->stop();
    } else if (settling->newer_schema()) {
      reason = "a newer program has migrated a board";
      status = k_exit_newer_schema;
      running->stop();
    } else if (pass_is_over(options, *settling, began)) {
      running->stop();
    }
    const auto again = manager.after_pass(status_text(*settling), std::chrono::steady_clock::now());
    if (again) {
      next = std::min(next.value_or(MonotonicTime::max()), *again);
    }
    return next;
  });
  Dispatcher dispatcher(
      home, settings, Starter(home, shim, host.boot), host, holder, loop,
      Dispatcher::Purpose{.start = may_start && options.mode != Options::Mode::finish,
                          .plan = options.mode == Options::Mode::serve,
                          .once = options.mode == Options::Mode::once});
  running = &loop;
  settling = &dispatcher;
  loop.on_signal([&](int number) {
    if (number == SIGHUP) {  // a closed terminal does not end it; a reload reads the settings again
      settings.take_changes();
      loop.wake();
      return;
    }
    reason = fmt::format("signal {} ({})", number, number == SIGTERM ? "SIGTERM" : "SIGINT");
    loop.stop();
  });
  std::unique_ptr<Loop::Watch> files;
  if (settings.watch_fd() >= 0) {
    files = loop.on_readable(settings.watch_fd(), [&] {
      settings.take_changes();
      loop.wake();
    });
  }
  if (options.mode == Options::Mode::serve) {
    log_info(fmt::format("serving {} (PID {})", home.dir.string(), ::getpid()));
    ServiceManager::tell_ready();
  }
  loop.wake();
  loop.run();
  const auto workers = static_cast<std::int64_t>(dispatcher.running());
  const std::string farewell =
      fmt::format("{}; {} {} on", reason, counted(workers, "worker"), workers == 1 ? "goes" : "go");
  ServiceManager::tell_stopping(farewell);
  dispatcher.leave(options.mode == Options::Mode::serve ? reason : "");
  if (options.mode == Options::Mode::serve) {
    log_info(farewell);
  }
  return status;
}

// What stands in the way of a start until a person mends it. Who asked for one pass gets the status
// of any other command.
int refuse_to_start(const Options& options, const Error& error) {
  const int status = refuse(error);
  return options.mode == Options::Mode::serve ? k_exit_configuration : status;
}

std::optional<KillingUnit> own_killing_unit() {
  const auto groups = read_file("/proc/self/cgroup", k_proc_bytes);
  return groups ? killing_unit(*groups, ::getpid(),
                               home::user_manager_socket(environment("XDG_RUNTIME_DIR")))
                : std::nullopt;
}

Error workers_would_die(const KillingUnit& unit) {
  return {ErrorCode::unavailable,
          fmt::format("{} with this process, and systemd then kills what is left in it "
                      "(KillMode={}): the workers would die",
                      printable(unit.name) + (unit.ends_with_us ? " ends" : " may end"),
                      unit.kill_mode),
          "set KillMode=process in that unit (systemd-run: -p KillMode=process)"};
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    return refuse(options.error());
  }
  if (options->mode == Options::Mode::help) {
    fmt::print("{}", help_text(help_columns(STDOUT_FILENO)));
    return 0;
  }
  if (options->mode == Options::Mode::version) {
    fmt::print("hermes-dispatcher {} (SQLite {})\n", HERMES_VERSION, db::loaded_sqlite());
    return 0;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // ignored by who started us, it would hide how children end
  // SQLite's savepoints grow and shrink the heap with every statement; giving the memory back each
  // time cost a tenth of a job.
  mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
  mallopt(M_TOP_PAD, 1024 * 1024);
  start_log(options->verbose);
  const auto home = home::find_home(environment("HERMES_HOME"), environment("HOME"));
  if (!home) {
    return refuse(home.error());
  }
  if (home::list_boards(*home).empty()) {
    return refuse_to_start(
        *options, {ErrorCode::not_found, fmt::format("there is no board in {}", home->dir.string()),
                   "`hermes init` makes the home and its first board"});
  }
  Settings settings(*home, *options);
  if (const auto loaded = settings.load(); !loaded) {
    return refuse_to_start(*options, loaded.error());
  }
  if (options->dry_run) {
    fmt::print("{}", dry_run_text(*home, settings, wall_clock_now(), options->json));
    return 0;
  }
  const auto shim = find_shim();
  if (!shim) {
    return refuse_to_start(*options, shim.error());
  }
  if (const auto prepared = prepare_run_directory(*home); !prepared) {
    return refuse(prepared.error());
  }
  const auto lock = home::take_dispatcher_lock(*home, options->mode == Options::Mode::serve
                                                          ? home::LockPurpose::serve
                                                          : home::LockPurpose::pass);
  if (!lock) {
    return refuse(lock.error());
  }
  const auto pidfile = Pidfile::write(options->pidfile);
  if (!pidfile) {
    return refuse(pidfile.error());
  }
  std::optional<PassReport> report;
  if (options->mode == Options::Mode::once) {
    report.emplace(*home);
  }
  const auto unit = options->mode == Options::Mode::finish ? std::nullopt : own_killing_unit();
  const bool refused = unit && unit->ends_with_us && options->mode == Options::Mode::once;
  if (unit && !refused) {
    log_warning(one_line(workers_would_die(*unit)));
  }
  int status = serve(*options, *home, settings, *shim, lock->get(), !refused);
  if (report) {
    fmt::print("{}", report->text(settings.config().limits, options->json));
  }
  if (refused && status == 0) {
    status = refuse(workers_would_die(*unit));
  }
  (void)!::ftruncate(lock->get(), 0);  // the PID in it is nobody's from now on
  return status;
}

}  // namespace
}  // namespace hermes::daemon

int main(int argc, char* argv[]) {
  hermes::reserve_standard_descriptors();
  hermes::keep_rights_of_owner();
  try {
    if (argc > 1 && argv[1] == hermes::daemon::k_make_tree) {
      return hermes::daemon::make_tree({argv + 2, argv + argc});
    }
    return hermes::daemon::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "hermes-dispatcher: unexpected: {}\n", hermes::printable(error.what()));
    return 1;
  }
}
