// Names of addresses, and of ids of users, groups and cgroups.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

struct Symbol {
  std::string name;     // demangled if asked for
  uint64_t offset = 0;  // bytes behind the symbol's start
  std::string module;   // file name, kernel module, "" for the kernel itself
};

// A function of user code and the line of source in which it is: of the innermost one the line that runs, of the others
// that of the call.
struct SourceFrame {
  std::string function;  // of an inlined one; "" for the function that the symbol names
  std::string file;      // as the compiler was told, "" if not known
  uint32_t line = 0;     // 0: not known
};

// A place in a file that its build id names, whatever it is called and wherever it lies.
struct FilePlace {
  std::string build_id;  // hexadecimal
  uint64_t offset = 0;   // in the file
};

struct SymbolOptions {
  bool demangle = true;
  std::vector<std::string> debug_folders = {};  // asked for separate debug files before /usr/lib/debug
};

// Kernel symbols from /proc/kallsyms, read when first asked for.
class KernelSymbols {
 public:
  explicit KernelSymbols(std::string path = "/proc/kallsyms");
  ~KernelSymbols();
  // Nullopt if the address is in no code of the kernel, or if addresses are hidden (kernel.kptr_restrict).
  std::optional<Symbol> find(uint64_t address);
  std::optional<uint64_t> address(std::string_view name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Those of the running kernel, read once by whoever asks first.
KernelSymbols &kernel_symbols();

// User symbols of processes: what they map, and the ELF files behind it, cached per file and per process.
class UserSymbols {
 public:
  explicit UserSymbols(SymbolOptions options = {});
  ~UserSymbols();
  std::optional<Symbol> find(uint32_t pid, uint64_t address);
  // Frames of source at an address, innermost first: those of functions that were inlined there, last the function that
  // find() names. Empty if there is no debug information. `returns`: a call returns there, meant is the call.
  std::vector<SourceFrame> source(uint32_t pid, uint64_t address, bool returns);
  // Nullopt if the address is in no file, or in one without a build id.
  std::optional<FilePlace> place(uint32_t pid, uint64_t address);
  // Reads the process' mappings now, so that addresses can be named after it has ended.
  void remember(uint32_t pid);

  // From here on keeps track of what all processes map (with `pids`: these), so that addresses can be named after they
  // have ended. update() must then be called from time to time, and when descriptor() is readable. Errors: the kernel
  // has no perf events for it.
  Result<void> watch(std::set<uint32_t> pids = {});
  [[nodiscard]] int descriptor() const;  // -1 without watch()
  // True if it should be called again soon: not all processes that were there before watch() have been looked at.
  bool update();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::optional<std::string> user_name(uint64_t uid);
// Path of a cgroup v2 id below its mount point ("/user.slice"), nullopt if gone. `filter` is a glob for the
// hierarchy's name, which is "unified"; empty for all.
std::optional<std::string> cgroup_path(uint64_t id, std::string_view filter);
// Whether `a` is the one to show of two names of one address: the one with fewer leading underscores, then the shorter
// one ("read", not "__libc_read"), then the first of the alphabet.
bool nicer_name(std::string_view a, std::string_view b);
// True for names that look like those that compilers of C++ and Rust make up.
bool is_mangled(std::string_view name);
// The name as written in C++ or Rust, of the latter without the hash; the same text if it is not mangled.
std::string demangle(std::string_view name);

}  // namespace awl
