#include "runtime/session/traced_start.h"

#include <elf.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "base/strings.h"
#include "runtime/session/signals.h"
#include "runtime/symbols/process_maps.h"

namespace awl {

namespace {

using Clock = std::chrono::steady_clock;

// Of its own CPU time, however busy the machine is, without a system call: no linker works that long.
constexpr auto kQuiet = std::chrono::milliseconds(50);
constexpr auto kLongest = std::chrono::minutes(2);       // in all: tables of large libraries take their time
constexpr auto kEager = std::chrono::microseconds(200);  // looks without sleeping
constexpr long kPauseNs = 50'000;

std::chrono::nanoseconds time_used(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) == 0) clock_gettime(clock, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// A stop of the traced child, as waitpid(2) tells of it; nullopt: it has ended (and can still be waited for), or
// nothing came for kQuiet.
std::optional<int> next_stop(pid_t pid) {
  const auto begin = Clock::now();
  const auto used = time_used(pid);
  while (!Signals::stop_requested() && Clock::now() - begin < kLongest) {
    siginfo_t info = {};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0) return std::nullopt;
    if (info.si_pid != 0) {
      if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) return std::nullopt;
      int status = 0;
      return waitpid(pid, &status, __WALL) == pid ? std::optional(status) : std::nullopt;
    }
    if (Clock::now() - begin < kEager) continue;
    if (time_used(pid) - used > kQuiet) return std::nullopt;
    const timespec pause = {0, kPauseNs};
    nanosleep(&pause, nullptr);
  }
  return std::nullopt;
}

// The code of the dynamic linker, directly behind exec; empty for a static program.
Mapping linker_code(pid_t pid) {
  const Result<std::string> vector = read_file(fmt::format("/proc/{}/auxv", pid));
  const Result<std::string> maps = read_file(fmt::format("/proc/{}/maps", pid));
  uint64_t base = 0;
  for (size_t at = 0; vector && at + 16 <= vector->size(); at += 16) {
    uint64_t entry[2];
    std::memcpy(entry, vector->data() + at, sizeof(entry));
    if (entry[0] == AT_BASE) base = entry[1];
  }
  Mapping out;
  if (base == 0 || !maps) return out;
  for (Mapping &mapping : parse_maps(*maps))
    if (mapping.executable && mapping.start >= base && (out.end == 0 || mapping.start < out.start))
      out = std::move(mapping);
  return out;
}

bool maps_code(const __ptrace_syscall_info &info) {
  const uint64_t call = info.entry.nr;
  return (call == SYS_mmap || call == SYS_mprotect) && (info.entry.args[2] & PROT_EXEC) != 0;
}

void let_go(pid_t pid, int signal) { ptrace(PTRACE_DETACH, pid, nullptr, reinterpret_cast<void *>(uintptr_t(signal))); }

// It has to be stopped for that.
void let_go_running(pid_t pid) {
  if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) return;
  if (next_stop(pid)) let_go(pid, 0);
}

}  // namespace

bool trace_start(pid_t pid) {
  const uintptr_t options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
  return ptrace(PTRACE_SEIZE, pid, nullptr, reinterpret_cast<void *>(options)) == 0;
}

void follow_start(pid_t pid, const std::function<void()> &mapped) {
  constexpr int kExec = SIGTRAP | (PTRACE_EVENT_EXEC << 8), kSystemCall = SIGTRAP | 0x80;
  Mapping linker;
  bool maps = false;  // the system call under way
  const auto begin = Clock::now();
  while (Clock::now() - begin < kLongest) {
    const std::optional<int> status = next_stop(pid);
    if (!status) break;
    if (*status >> 8 == kExec) {
      mapped();
      linker = linker_code(pid);
      if (linker.end == 0) return let_go(pid, 0);
    } else if (WSTOPSIG(*status) == kSystemCall) {
      __ptrace_syscall_info info = {};
      if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0) return let_go(pid, 0);
      const bool entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
      if (entry && (info.instruction_pointer < linker.start || info.instruction_pointer >= linker.end))
        return let_go(pid, 0);
      if (!entry && maps) mapped();
      maps = entry && maps_code(info);
    } else {
      // A signal, or it was stopped by one: it is as if nobody had been here.
      return let_go(pid, *status >> 16 != 0 ? 0 : WSTOPSIG(*status));
    }
    if (ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr) != 0) return;
  }
  let_go_running(pid);
}

}  // namespace awl
