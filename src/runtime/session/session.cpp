#include "runtime/session/session.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "base/clock.h"
#include "base/strings.h"
#include "runtime/maps/snapshot.h"
#include "runtime/probes/privileges.h"
#include "runtime/session/actions.h"
#include "runtime/session/attach.h"
#include "runtime/session/child.h"
#include "runtime/session/event_loop.h"
#include "runtime/session/file_limit.h"
#include "runtime/session/iterators.h"
#include "runtime/session/loader.h"
#include "runtime/session/losses.h"
#include "runtime/session/machine_facts.h"
#include "runtime/session/missed.h"
#include "runtime/session/notify.h"
#include "runtime/session/script_params.h"
#include "runtime/session/signals.h"
#include "runtime/session/stack_maps.h"
#include "runtime/session/trials.h"
#include "runtime/session/unwinder.h"

namespace awl {
namespace {

constexpr int kFailed = 1;
constexpr int kRefused = 255;      // the kernel did not load or attach something; bpftrace's status for it
constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells say it

// One run of an Image; each step is a method, in the order of run().
class Session {
 public:
  Session(const Image &image, TypeStore &store, const RunOptions &options)
      : image_(image),
        manifest_(image.manifest),
        store_(store),
        options_(options),
        source_(manifest_.files, manifest_.expansions, manifest_.script_text),
        user_symbols_({manifest_.config.cpp_demangle, options_.debug_folders}) {}

  int run() {
    raise_file_limit();
    if (!open_output()) return kFailed;
    if (!check_privileges() || !open_processes() || !start_child() || !select_processes() || !plan() || !load() ||
        !open_loop())
      return finish(status_);
    if (options_.load_only) return finish(0);
    if (options_.dry_run) return attach() ? finish(0) : finish(status_);
    if (manifest_.unwinds) make_unwind_tables();
    if (!run_once(plan_.begins)) return finish(kFailed);
    if (actions_->exiting()) {
      tell_attached();
    } else if (options_.selection.mode != RunMode::Usual) {
      if (!run_trials()) return finish(kFailed);
    } else {
      if (!attach()) return finish(status_);
      if (!start()) return finish(kFailed);
    }
    stop();
    print_maps();
    const int status = actions_->exit_status().value_or(failed_tests_ > 0 ? kFailed : 0);
    return finish(status == 0 && failed_ ? kFailed : status);
  }

 private:
  bool open_output() {
    if (!options_.output_file.empty()) {
      output_fd_ = open(options_.output_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      if (output_fd_ < 0) {
        Diagnostics diagnostics;
        diagnostics.emit(diag::NoOutputFile, Span{}, options_.output_file, std::strerror(errno));
        for (const Diagnostic &diagnostic : diagnostics.all()) fputs(render_text(diagnostic, source_).c_str(), stderr);
        return false;
      }
    }
    const int64_t wall = clock_ns(CLOCK_REALTIME);
    context_.manifest = &manifest_;
    context_.kernel_symbols = &kernel_symbols();
    context_.user_symbols = &user_symbols_;
    context_.stacks = &stacks_;
    context_.probe_names = &plan_.names;
    context_.boot_to_wall_ns = wall - clock_ns(CLOCK_BOOTTIME);
    context_.monotonic_to_wall_ns = wall - clock_ns(CLOCK_MONOTONIC);
    context_.json_frames = options_.json_frames;
    OutputOptions output;
    output.json = options_.json;
    output.folded = options_.folded;
    output.quiet = options_.quiet;
    output.colour = colour_wanted();
    output.buffering = options_.buffering;
    output_ = make_output(output_fd_, output, context_);
    return true;
  }

  bool check_privileges() {
    const std::vector<std::string> missing = missing_capabilities();
    if (missing.empty()) return true;
    Diagnostics diagnostics;
    diagnostics.emit(diag::NoPrivileges, Span{}, fmt::format("{}", fmt::join(missing, " and ")))
        .with_hint("run as root");
    return tell(diagnostics);
  }

  // -p: the run ends with the processes.
  bool open_processes() {
    Diagnostics diagnostics;
    for (const int pid : options_.processes.pids) {
      const int fd = open_pidfd(pid);
      if (fd >= 0)
        process_fds_.push_back(fd);
      else if (errno == EINVAL && pid > 0)
        diagnostics.emit(diag::NoProcess, Span{}, pid, "it is a thread")
            .with_hint("give the id of its process: see Tgid in /proc/" + std::to_string(pid) + "/status");
      else
        diagnostics.emit(diag::NoProcess, Span{}, pid,
                         errno == ESRCH || errno == EINVAL ? "there is none" : std::strerror(errno));
    }
    return tell(diagnostics);
  }

  bool select_processes() {
    Result<ProcessSelection> selection = ProcessSelection::make(options_.processes, child_ ? child_->pid() : 0);
    if (selection) {
      selection_ = *std::move(selection);
      return true;
    }
    return cannot_select(selection.error());
  }

  bool cannot_select(const Error &error) {
    Diagnostics diagnostics;
    diagnostics.emit(diag::CannotSelect, Span{}, error.message).with_hint(error.hint);
    return tell(diagnostics);
  }

  // -c: before loading, since its pid is a parameter of the programs.
  bool start_child() {
    if (options_.command.empty()) return true;
    Result<std::unique_ptr<Child>> child = Child::start(options_.command);
    if (child) {
      child_ = *std::move(child);
      return true;
    }
    Diagnostics diagnostics;
    diagnostics.emit(diag::CannotRun, Span{}, options_.command, child.error().message).with_hint(child.error().hint);
    return tell(diagnostics);
  }

  bool plan() {
    signals_.emplace();  // from here on Ctrl-C is noticed instead of obeyed
    environment_.types = &store_;
    environment_.pid = options_.processes.pids.empty() ? 0 : options_.processes.pids.front();
    environment_.pids = options_.processes.pids;
    environment_.attach_pid = options_.processes.only_pid();
    environment_.child_pid = child_ && !options_.processes.follow ? child_->pid() : 0;
    if (child_) environment_.child_program = child_->program();
    environment_.unsafe = options_.unsafe;  // not what an Image was built with: whoever runs it is asked
    environment_.missing_probes = manifest_.config.missing_probes;
    environment_.roots = options_.roots;
    Diagnostics diagnostics;
    plan_ = plan_attachments(manifest_, environment_, options_.selection, diagnostics);
    const RunMode mode = options_.selection.mode;
    if (!diagnostics.has_errors() && (plan_.nothing() || (mode != RunMode::Usual && plan_.trials.empty())))
      diagnostics.emit(diag::NothingAttached, Span{}).with_hint(nothing_hint(mode));
    return tell(diagnostics);
  }

  [[nodiscard]] std::string nothing_hint(RunMode mode) const {
    if (options_.selection.filter) return "--probe-filter leaves none";
    if (mode == RunMode::Test) return "a test is `test:NAME { ... }`";
    if (mode == RunMode::Bench) return "a benchmark is `bench:NAME { ... }`";
    for (const ProbeInfo &info : manifest_.probes) {
      const Provider *provider = find_provider(info.provider);
      if (!provider) continue;
      if (provider->occasion() == Occasion::Test) return "--test runs `" + info.text + "`";
      if (provider->occasion() == Occasion::Bench) return "--bench runs `" + info.text + "`";
    }
    return {};
  }

  bool load() {
    LoadOptions load;
    load.btf = options_.roots.btf;
    selection_.set_params(load);
    load.params[kParamChildPid] = child_ ? static_cast<uint64_t>(child_->pid()) : 0;
    load.params[kParamBootToWall] = static_cast<uint64_t>(context_.boot_to_wall_ns);
    Diagnostics wrong;
    set_script_params(manifest_, options_.params, options_.script_options, load.params, wrong);
    set_machine_facts(manifest_, kernel_symbols(), load.params, wrong);
    if (!tell(wrong)) return false;
    load.usdt_specs = static_cast<uint32_t>(plan_.usdt.size());
    load.attach_types = plan_.multi;
    load.attach_targets = plan_.attach_targets();
    load.only_once = plan_.probes.empty();
    load.programs = plan_.programs();
    load.show_libbpf = options_.show_libbpf;
    load.show_verifier = options_.show_verifier;
    load.verbose = options_.verbose;
    Diagnostics diagnostics;
    object_ = load_object(image_, store_, load, source_, diagnostics);
    if (!tell(diagnostics)) {
      status_ = kRefused;
      return false;
    }
    stacks_.add(object_->maps());
    stacks_.add_walked(object_->map("awl_unwind_stacks"));
    Result<void> selected = selection_.apply(*object_, environment_);
    return selected || cannot_select(selected.error());
  }

  bool open_loop() {
    actions_.emplace(manifest_, source_, context_, *output_, ActionOptions{options_.unsafe, options_.json});
    actions_->set_maps(object_->maps(), object_->state());
    losses_.emplace(manifest_, source_, *output_);
    if (!plan_.probes.empty() && shows_user_symbols(manifest_)) watch_symbols();
    loop_.emplace(object_->state(), *actions_, *losses_, user_symbols_, *output_);
    Diagnostics diagnostics;
    if (Result<void> good = actions_->prepare(); !good) diagnostics.emit(diag::BadImage, Span{}, good.error().message);
    actions_->open_files(diagnostics);
    actions_->set_unwatch([this](uint64_t address) { detach_watchpoints(attached_, address); });
    const EventLoop::Watched watched{object_->ring_buffer(),        signals_->fd(), signals_->user_fd(), process_fds_,
                                     child_ ? child_->pidfd() : -1, output_fd_};
    if (Result<void> good = loop_->open(watched); !good) {
      if (out_of_files(good.error().sys_errno))
        diagnostics.emit(diag::TooManyFiles, Span{}, file_limit()).with_hint("raise it: `ulimit -n`, as root with -H");
      else
        diagnostics.emit(diag::RunFailed, Span{}, good.error().message);
    }
    return tell(diagnostics);
  }

  void watch_symbols() {
    std::set<uint32_t> pids;
    if (const int pid = options_.processes.only_pid(); pid != 0) pids.insert(static_cast<uint32_t>(pid));
    const Result<void> watched = user_symbols_.watch(std::move(pids));
    if (watched) return;
    Diagnostics diagnostics;
    diagnostics.emit(diag::SymbolsLate, Span{}, watched.error().message)
        .with_hint("what has ended or has unmapped its code when a stack is shown has addresses only");
    tell(diagnostics);
  }

  void make_unwind_tables() {
    Diagnostics diagnostics;
    unwinder_.start(*object_, options_.processes, child_ ? child_->pid() : 0, plan_, diagnostics);
    tell(diagnostics);
  }

  // Begin or end programs, one after the other; stops behind one that calls exit().
  bool run_once(const std::vector<const ProbeInfo *> &probes) {
    for (const ProbeInfo *probe : probes) {
      Result<uint32_t> done = awl::run_once(object_->program(probe->program));
      if (!done) {
        Diagnostics diagnostics;
        diagnostics.emit(diag::AttachFailed, probe->span, probe->text, done.error().message)
            .with_hint(done.error().hint);
        return tell(diagnostics);
      }
      loop_->drain();
      if (actions_->exiting()) return true;
    }
    return true;
  }

  bool attach() {
    Diagnostics diagnostics;
    const int child = child_ ? child_->pid() : 0;
    attached_ = attach_all(plan_, *object_, manifest_, environment_, options_.processes.processes(child),
                           options_.quiet, diagnostics);
    if (attached_.interrupted) {
      tell(diagnostics);
      status_ = kInterrupted;
      return false;
    }
    status_ = diagnostics.has_errors() ? kRefused : kFailed;
    if (!diagnostics.has_errors() && attached_.probes == 0 && !plan_.probes.empty() && plan_.begins.empty() &&
        plan_.ends.empty())
      diagnostics.emit(diag::NothingAttached, Span{});
    if (attached_.arguments)
      if (Result<void> good = loop_->watch_also(attached_.arguments->descriptor(), [this] { watch_new(); }); !good)
        diagnostics.emit(diag::RunFailed, Span{}, good.error().message);
    return tell(diagnostics);
  }

  void watch_new() {
    Diagnostics diagnostics;
    watch_arguments(attached_, diagnostics);
    tell(diagnostics);
  }

  // Everything is in place: programs become active, the command runs, records are handled until something ends the run.
  bool start() {
    object_->state().start();
    if (child_) {
      const std::function<void()> mapped = [this] { unwinder_.catch_up(child_->pid()); };
      if (Result<void> running = child_->go(unwinder_.working() ? mapped : nullptr); !running) {
        Diagnostics diagnostics;
        diagnostics.emit(diag::CannotRun, Span{}, options_.command, running.error().message);
        return tell(diagnostics);
      }
    }
    tell_attached();
    if (!pin_iterators() || !run_iterators()) return false;
    if (attached_.probes == attached_.iterators.size() + attached_.pins.size() && plan_.signals.empty() && !child_)
      return true;  // nothing is left to wait for
    RunEnd end = loop_->run();
    for (; end == RunEnd::UserSignal; end = loop_->run())
      if (Signals::take_user_signals() > 0 && !run_once(plan_.signals)) failed_ = true;
    if (end == RunEnd::ChildEnded) report_child();
    return true;
  }

  // They stay when awl ends, until somebody removes the file.
  bool pin_iterators() {
    Diagnostics diagnostics;
    for (const PinnedLink &pin : attached_.pins) {
      if (Result<> done = pin_link(pin.link, pin.path); done)
        output_->pinned(pin.path);
      else
        diagnostics.emit(diag::AttachFailed, pin.probe->info->span, pin.probe->info->text, done.error().message)
            .with_hint(done.error().hint);
    }
    return tell(diagnostics);
  }

  bool run_iterators() {
    // So few objects between two looks at the ring buffer that it has room for what each of them prints.
    size_t printed = 1;
    for (const Action &action : manifest_.actions) printed += action.size + 8;
    const size_t at_once = std::clamp<size_t>(manifest_.config.ring_buffer_bytes / (4 * printed), 1, 4096);
    Result<> done = awl::run_iterators(attached_.iterators, at_once, [this] {
      loop_->drain();
      return !actions_->exiting() && !Signals::stop_requested();
    });
    if (done) return true;
    Diagnostics diagnostics;
    diagnostics.emit(diag::RunFailed, Span{}, done.error().message).with_hint(done.error().hint);
    return tell(diagnostics);
  }

  // Begin and end programs count, though they are attached to nothing.
  void tell_attached() {
    output_->attached(attached_.probes + plan_.begins.size() + plan_.ends.size() + plan_.signals.size());
    output_->flush();
    notify_attached(output_fd_);
  }

  // --test, --bench
  bool run_trials() {
    object_->state().start();
    Trials trials(*object_, *actions_, *loop_, *output_, options_.json);
    Result<size_t> failed =
        options_.selection.mode == RunMode::Test ? trials.run_tests(plan_.trials) : trials.run_benchmarks(plan_.trials);
    if (failed) {
      failed_tests_ = *failed;
      return true;
    }
    Diagnostics diagnostics;
    diagnostics.emit(diag::RunFailed, Span{}, failed.error().message).with_hint(failed.error().hint);
    return tell(diagnostics);
  }

  void report_child() {
    const Child::Ending ending = child_->ending();
    if (!ending.ended || ending.success) return;
    Diagnostics diagnostics;
    diagnostics.emit(diag::CommandFailed, Span{}, options_.command, ending.text);
    tell(diagnostics);
  }

  // Programs stop first, then what they have sent is handled, then the end programs run.
  void stop() {
    notify_stopping();
    object_->state().stop();
    if (actions_->exiting())
      loop_->discard();
    else
      loop_->drain();
    actions_->resume();
    if (!run_once(plan_.ends)) failed_ = true;
    if (child_) child_->terminate();
  }

  void print_maps() {
    if (manifest_.config.print_maps_on_exit) {
      bool any = false;
      for (const LoadedMap *map : script_maps(object_->maps())) {
        Result<MapView> view = snapshot(*map);
        if (!view) {
          Diagnostics diagnostics;
          diagnostics.emit(diag::MapFailed, map->info->span, map->info->name, view.error().message);
          tell(diagnostics);
          continue;
        }
        if (view->entries.empty() && actions_->zeroed(*map->info))
          view->entries.push_back({{}, std::vector<std::byte>(map->info->value->size)});
        if (view->entries.empty()) continue;
        if (!any) output_->end_of_records();
        any = true;
        output_->map(*view);
      }
    }
    losses_->report_totals(object_->state());
    actions_->report_files();
    report_missed();
  }

  void report_missed() {
    Diagnostics diagnostics;
    if (attached_.arguments) attached_.arguments->end(diagnostics);
    unwinder_.report(diagnostics);
    awl::report_missed(missed_events(*object_, manifest_, attached_), diagnostics);
    tell(diagnostics);
  }

  // Attached probes take long to detach: that goes on in the background while the caller gets its prompt back.
  int finish(int status) {
    attached_.arguments.reset();  // whoever it has stopped goes on
    output_->flush();
    if (output_->broken() && output_->error() != EPIPE) {  // EPIPE: the reader has what it wants
      Diagnostics diagnostics;
      diagnostics.emit(diag::OutputFailed, Span{},
                       options_.output_file.empty() ? "the output" : "`" + options_.output_file + "`",
                       std::strerror(output_->error()));
      tell(diagnostics);
      status = kFailed;
    }
    if (child_) child_->terminate();
    std::fflush(stderr);
    if (!attached_.attachments.empty()) leave_fast(status);
    return status;
  }

  // Prints; false if there were errors.
  bool tell(const Diagnostics &diagnostics) {
    for (const Diagnostic &diagnostic : diagnostics.all()) output_->message(diagnostic, source_);
    return !diagnostics.has_errors();
  }

  const Image &image_;
  const Manifest &manifest_;
  TypeStore &store_;
  const RunOptions &options_;
  Source source_;
  UserSymbols user_symbols_;
  StackMaps stacks_;
  FormatContext context_;
  int output_fd_ = STDOUT_FILENO;
  std::vector<int> process_fds_;  // of -p
  std::unique_ptr<Output> output_;
  std::unique_ptr<Child> child_;
  std::optional<Signals> signals_;
  ProcessSelection selection_;
  ProbeEnvironment environment_;
  AttachPlan plan_;
  std::unique_ptr<LoadedObject> object_;
  Unwinder unwinder_;  // fills maps of the object
  std::optional<Actions> actions_;
  std::optional<Losses> losses_;
  std::optional<EventLoop> loop_;
  AttachResult attached_;
  int status_ = kFailed;  // of a run that does not come to its end
  size_t failed_tests_ = 0;
  bool failed_ = false;  // an end program, or one for a signal
};

}  // namespace

int run_image(const Image &image, TypeStore &store, const RunOptions &options) {
  return Session(image, store, options).run();
}

}  // namespace awl
