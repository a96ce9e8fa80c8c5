// Program files and libraries that uprobe and usdt look into.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"
#include "runtime/symbols/elf_file.h"

namespace awl {

// As ElfFile::open; the files opened last stay open, so that a thousand functions of one are cheap.
Result<std::shared_ptr<ElfFile>> open_binary(const std::string &path);

// Paths of the files that BIN of an attach point stands for: a path, a name, a pattern of either, "*" for all that
// the process of -p (or, without it, any process) has mapped. Sorted, each file once.
Result<std::vector<std::string>> find_binaries(std::string_view binary, const ProbeEnvironment &env);

// Files that a process has mapped executable, by paths that we can open: /proc/PID/map_files where the
// process' path is not ours. pid 0: of all processes.
Result<std::vector<std::string>> mapped_binaries(int pid, const ProbeRoots &roots);

// The program that a process runs.
Result<std::string> program_of(int pid, const ProbeRoots &roots);

// Equal for targets that the kernel cannot tell apart: one place of one file, whatever names the file has. Each process
// of a container reaches it by a name of its own, /proc/PID/root/...
std::string place_identity(const ProbeTarget &target);

// How a listing shows `path`, which was found for `given`: relative if that is, as the user wrote it.
std::string shown_path(const std::string &given, const std::string &path);

}  // namespace awl
