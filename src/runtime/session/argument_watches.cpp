#include "runtime/session/argument_watches.h"

#include <asm/ptrace.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/strings.h"
#include "runtime/probes/uprobe_attach.h"
#include "runtime/session/bpf_assembler.h"
#include "runtime/session/features.h"
#include "runtime/session/libbpf_options.h"

namespace awl {

namespace {

constexpr uint32_t kMostKnown = 4096;             // addresses that the program does not tell of again
constexpr uint32_t kFull = 0, kNotWatched = 1;    // elements of the state: no register is free; calls that found none
constexpr int16_t kKey = -16, kIndex = kKey + 8;  // on the stack: what is known, as struct Record
constexpr int16_t kElement = -20, kYes = -24;

// Bytes into the program's context.
constexpr auto kArguments = std::to_array<int16_t>({
#if defined(__x86_64__)
    offsetof(pt_regs, rdi), offsetof(pt_regs, rsi), offsetof(pt_regs, rdx), offsetof(pt_regs, rcx),
    offsetof(pt_regs, r8), offsetof(pt_regs, r9)
#elif defined(__aarch64__)
    0, 8, 16, 24, 32, 40, 48, 56
#endif
});

struct Maps {
  int known, state, records;
};

void leave_if_zero(Assembler &out, uint8_t reg, bool zero) {
  Assembler leave;
  leave.leave();
  if (zero)
    out.if_not_zero_skip(reg, static_cast<int16_t>(leave.size()));
  else
    out.if_zero_skip(reg, static_cast<int16_t>(leave.size()));
  out.append(leave);
}

void look_up_state(Assembler &out, int map, uint32_t element) {
  out.store32_value(kElement, static_cast<int32_t>(element));
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, kElement);
  out.call(BPF_FUNC_map_lookup_elem);
  leave_if_zero(out, BPF_REG_0, true);
}

Assembler count_not_watched(const Maps &maps) {
  Assembler out;
  look_up_state(out, maps.state, kNotWatched);
  out.set(BPF_REG_1, 1);
  out.atomic_add(BPF_REG_0, 0, BPF_REG_1);
  out.leave();
  return out;
}

// if (address == 0 || known[{address, watch}]) return;
// if (full || !(record = reserve())) { not_watched++; return; }
// if (!insert(known, {address, watch})) { discard(record); return; }   another thread was faster
// send_signal(SIGSTOP); submit(record);
std::vector<bpf_insn> at_entry(const Maps &maps, size_t argument, uint32_t watch, bool stops) {
  const Assembler not_watched = count_not_watched(maps);
  Assembler out;
  out.load64(BPF_REG_6, BPF_REG_1, kArguments.at(argument));
  leave_if_zero(out, BPF_REG_6, true);
  out.store64(BPF_REG_10, kKey, BPF_REG_6);
  out.set(BPF_REG_7, static_cast<int32_t>(watch));
  out.store64(BPF_REG_10, kIndex, BPF_REG_7);
  out.map(BPF_REG_1, maps.known);
  out.stack_address(BPF_REG_2, kKey);
  out.call(BPF_FUNC_map_lookup_elem);
  leave_if_zero(out, BPF_REG_0, false);

  look_up_state(out, maps.state, kFull);
  out.load64(BPF_REG_1, BPF_REG_0, 0);
  out.if_zero_skip(BPF_REG_1, static_cast<int16_t>(not_watched.size()));
  out.append(not_watched);

  out.map(BPF_REG_1, maps.records);
  out.set(BPF_REG_2, 16);
  out.set(BPF_REG_3, 0);
  out.call(BPF_FUNC_ringbuf_reserve);
  out.if_not_zero_skip(BPF_REG_0, static_cast<int16_t>(not_watched.size()));
  out.append(not_watched);
  out.move(BPF_REG_8, BPF_REG_0);
  out.store64(BPF_REG_8, 0, BPF_REG_6);
  out.store64(BPF_REG_8, 8, BPF_REG_7);

  out.store32_value(kYes, 1);
  out.map(BPF_REG_1, maps.known);
  out.stack_address(BPF_REG_2, kKey);
  out.stack_address(BPF_REG_3, kYes);
  out.set(BPF_REG_4, BPF_NOEXIST);
  out.call(BPF_FUNC_map_update_elem);
  Assembler discard;
  discard.move(BPF_REG_1, BPF_REG_8);
  discard.set(BPF_REG_2, BPF_RB_NO_WAKEUP);
  discard.call(BPF_FUNC_ringbuf_discard);
  discard.leave();
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(discard.size()));
  out.append(discard);

  // The signal is there before the record is, so that SIGCONT cannot come too early.
  if (stops) {
    out.set(BPF_REG_1, SIGSTOP);
    out.call(BPF_FUNC_send_signal);
  }
  out.move(BPF_REG_1, BPF_REG_8);
  out.set(BPF_REG_2, BPF_RB_FORCE_WAKEUP);
  out.call(BPF_FUNC_ringbuf_submit);
  out.leave();
  return out.code();
}

bool stops(const ArgumentWatch &watch) { return watch.provider->watching() == Watching::StopsCaller; }

}  // namespace

Result<std::unique_ptr<ArgumentWatches>> ArgumentWatches::make() {
  std::unique_ptr<ArgumentWatches> made(new ArgumentWatches);
  auto opts = libbpf_options<bpf_map_create_opts>();
  opts.map_flags = BPF_F_NO_PREALLOC;
  made->known_ = Fd(bpf_map_create(BPF_MAP_TYPE_HASH, "awl_watched", sizeof(Record), 4, kMostKnown, &opts));
  made->state_ = Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, "awl_watches", 4, 8, 2, nullptr));
  made->records_ =
      Fd(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "awl_to_watch", 0, 0, static_cast<uint32_t>(getpagesize()), nullptr));
  for (const Fd *map : {&made->known_, &made->state_, &made->records_})
    if (!*map) return fail_errno("make a map of watched addresses", -map->get());
  made->ring_ = ring_buffer__new(made->records_.get(), &ArgumentWatches::on_record, made.get(), nullptr);
  if (!made->ring_) return fail_errno("map the ring buffer of addresses to watch");
  return made;
}

ArgumentWatches::~ArgumentWatches() {
  Diagnostics unheard;
  end(unheard);
  if (ring_) ring_buffer__free(ring_);
}

int ArgumentWatches::descriptor() const { return ring_buffer__epoll_fd(ring_); }

Result<void> ArgumentWatches::add(ArgumentWatch watch) {
  const bool link = has_feature(Feature::UprobeMultiPid) && has_feature(Feature::UprobeMulti);
  const std::vector<bpf_insn> code = at_entry({known_.get(), state_.get(), records_.get()}, watch.entry.target.offset,
                                              static_cast<uint32_t>(watches_.size()), stops(watch));
  auto opts = libbpf_options<bpf_prog_load_opts>();
  if (link) opts.expected_attach_type = static_cast<bpf_attach_type>(kUprobeMultiAttachType);
  // Held by what it is attached to.
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "awl_to_watch", "GPL", code.data(), code.size(), &opts));
  if (!program) return fail_errno("load the program at the function's entry", -program.get());
  AttachOptions options;
  options.prog_fd = program.get();
  options.pid = watch.watching.pid;
  const uint64_t cookie = 0;
  Result<Attachment> attached = link ? attach_uprobe_multi({&watch.entry, 1}, {&cookie, 1}, options, false)
                                     : attach_uprobe(watch.entry, options, false);
  if (!attached) return std::unexpected(std::move(attached).error());
  entries_.push_back(*std::move(attached));
  watches_.push_back(std::move(watch));
  return {};
}

int ArgumentWatches::on_record(void *self, void *data, size_t size) {
  Record record{};
  std::memcpy(&record, data, std::min(size, sizeof(record)));
  static_cast<ArgumentWatches *>(self)->new_.push_back(record);
  return 0;
}

void ArgumentWatches::set_full(bool full) {
  const uint64_t value = full ? 1 : 0;
  bpf_map_update_elem(state_.get(), &kFull, &value, BPF_ANY);
}

void ArgumentWatches::let_go_on(const ArgumentWatch &watch) const {
  if (stops(watch)) kill(watch.watching.pid, SIGCONT);
}

void ArgumentWatches::watch(const Record &record, std::vector<Set> &done, Diagnostics &diagnostics) {
  const ArgumentWatch &watch = watches_.at(record.watch);
  AttachPlace place = watch.entry;
  place.target.has_address = true;
  place.target.address = record.address;
  Result<Attachment> attached = watch.provider->attach(place, watch.watching);
  if (attached) {
    done.push_back({record.address, *std::move(attached)});
    return;
  }
  const Error &error = attached.error();
  if (error.sys_errno == ESRCH) return;  // the process has ended
  // What the processor cannot watch stays known, so that the process is not stopped for it again.
  if (error.sys_errno == ENOSPC) {
    bpf_map_delete_elem(known_.get(), &record);
    set_full(true);
  }
  diagnostics
      .emit(diag::ArgumentNotWatched, watch.span, watch.text, fmt::format("0x{:x}", record.address), error.message)
      .with_hint(error.hint);
}

std::vector<ArgumentWatches::Set> ArgumentWatches::take(Diagnostics &diagnostics) {
  std::vector<Set> done;
  ring_buffer__consume(ring_);
  for (const Record &record : std::exchange(new_, {})) {
    watch(record, done, diagnostics);
    let_go_on(watches_.at(record.watch));
  }
  return done;
}

void ArgumentWatches::forget(uint64_t address) {
  for (size_t i = 0; i < watches_.size(); i++) {
    const Record record{address, i};
    bpf_map_delete_elem(known_.get(), &record);
  }
  set_full(false);
}

void ArgumentWatches::end(Diagnostics &diagnostics) {
  if (std::exchange(ended_, true) || watches_.empty()) return;
  uint64_t calls = 0;
  bpf_map_lookup_elem(state_.get(), &kNotWatched, &calls);
  if (calls > 0)
    diagnostics.emit(diag::CallsNotWatched, watches_.front().span, counted(calls, "call"))
        .with_hint("`unwatch(address)` gives a register back");
  set_full(true);
  entries_.clear();
  ring_buffer__consume(ring_);
  for (const Record &record : std::exchange(new_, {})) let_go_on(watches_.at(record.watch));
}

}  // namespace awl
