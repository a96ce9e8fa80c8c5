#include "runtime/probes/kernel_functions.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "base/fd.h"
#include "base/strings.h"
#include "runtime/symbols/kallsyms.h"
#include "runtime/types/btf.h"
#include "runtime/types/tracefs.h"

// The kernel has three lists. available_filter_functions: exactly what ftrace can trace, but only root may
// read it, and where the security policy forbids that, it cannot be had at all. kallsyms: all symbols,
// readable by all (kptr_restrict hides addresses, not names), 30 ms and more to read. BTF: names most functions
// of the kernel itself, half a millisecond to scan. So one name is looked up in BTF, then in kallsyms;
// a wildcard takes the first list if it can be read.

namespace awl {

namespace {

bool is_text(char type) { return type == 'T' || type == 't' || type == 'W' || type == 'w'; }

// Parts of functions and padding, which have symbols but are not functions.
bool is_function_name(std::string_view name) {
  return !name.starts_with("__pfx_") && !name.starts_with("__cfi_") && !name.starts_with("__ftrace_invalid_address") &&
         name.find(".cold") == std::string_view::npos && !name.starts_with("$") && !name.starts_with(".L");
}

bool module_matches(std::string_view pattern, std::string_view module) {
  return pattern.empty() || glob_match(pattern, module.empty() ? "vmlinux" : module);
}

// "0xffffffff81000000-0xffffffff81000010\tname"
std::unordered_set<std::string> blacklist(const ProbeRoots &roots) {
  std::unordered_set<std::string> names;
  auto text = read_file(roots.sysfs + "/kernel/debug/kprobes/blacklist");
  if (!text) return names;
  for (const std::string &line : split(*text, '\n')) {
    size_t tab = line.find('\t');
    if (tab != std::string::npos) names.insert(line.substr(tab + 1));
  }
  return names;
}

// Lines "function" or "function [module]".
std::vector<KernelFunction> from_ftrace(std::string_view text, std::string_view module, std::string_view name) {
  std::vector<KernelFunction> out;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    size_t blank = line.find(' ');
    std::string_view in = blank == std::string_view::npos ? std::string_view{} : trim(line.substr(blank));
    if (in.size() > 2) in = in.substr(1, in.size() - 2);
    line = line.substr(0, blank);
    if (!line.empty() && is_function_name(line) && module_matches(module, in) && glob_match(name, line))
      out.push_back({std::string(line), std::string(in)});
  }
  return out;
}

std::vector<KernelFunction> from_kallsyms(std::string_view text, std::string_view module, std::string_view name) {
  std::vector<std::pair<uint64_t, KernelFunction>> found;
  uint64_t init_begin = 0, init_end = 0;  // code that has been thrown away after booting
  each_kernel_symbol(text, [&](const KernelSymbolLine &symbol) {
    if (symbol.name == "_sinittext") init_begin = symbol.address;
    if (symbol.name == "_einittext") init_end = symbol.address;
    if (is_text(symbol.type) && is_function_name(symbol.name) && module_matches(module, symbol.module) &&
        glob_match(name, symbol.name))
      found.push_back({symbol.address, {std::string(symbol.name), std::string(symbol.module)}});
  });
  std::vector<KernelFunction> out;
  for (auto &[address, function] : found)
    if (address < init_begin || address >= init_end) out.push_back(std::move(function));
  return out;
}

// True if the raw BTF holds a function of this name.
bool btf_names_function(std::string_view bytes, std::string_view name) {
  btf_header header;
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != BTF_MAGIC || header.hdr_len > bytes.size()) return false;
  std::string_view body = bytes.substr(header.hdr_len);
  if (header.type_off > body.size() || header.str_off > body.size()) return false;
  std::string_view types = body.substr(header.type_off, header.type_len);
  std::string_view strings = body.substr(header.str_off, header.str_len);
  btf_type type;
  while (types.size() >= sizeof(type)) {
    std::memcpy(&type, types.data(), sizeof(type));
    uint64_t count = BTF_INFO_VLEN(type.info), extra = 0;
    switch (BTF_INFO_KIND(type.info)) {
      case BTF_KIND_FUNC:
        if (type.name_off < strings.size() && strings.substr(type.name_off).starts_with(name) &&
            strings.substr(type.name_off + name.size()).starts_with('\0'))
          return true;
        break;
      case BTF_KIND_INT:
      case BTF_KIND_VAR:
      case BTF_KIND_DECL_TAG: extra = 4; break;
      case BTF_KIND_ARRAY: extra = sizeof(btf_array); break;
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION: extra = count * sizeof(btf_member); break;
      case BTF_KIND_ENUM: extra = count * sizeof(btf_enum); break;
      case BTF_KIND_FUNC_PROTO: extra = count * sizeof(btf_param); break;
      case BTF_KIND_DATASEC: extra = count * sizeof(btf_var_secinfo); break;
      case BTF_KIND_ENUM64: extra = count * sizeof(btf_enum64); break;
      case BTF_KIND_PTR:
      case BTF_KIND_FWD:
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_FLOAT:
      case BTF_KIND_TYPE_TAG: break;
      default: return false;  // of a newer kernel: its size is not known, so nothing behind it can be found
    }
    if (extra > types.size() - sizeof(type)) return false;
    types.remove_prefix(sizeof(type) + extra);
  }
  return false;
}

}  // namespace

Result<std::vector<KernelFunction>> kernel_functions(std::string_view module, std::string_view name,
                                                     const ProbeRoots &roots) {
  std::vector<KernelFunction> list;
  Result<std::string> tracefs = roots.tracefs.empty() ? tracefs_path() : Result<std::string>(roots.tracefs);
  if (!roots.traceable.empty()) {
    list = from_ftrace(TRY(read_file(roots.traceable)), module, name);
    std::ranges::sort(list);
    return list;
  }
  auto filter =
      tracefs ? read_file(*tracefs + "/available_filter_functions") : std::unexpected(std::move(tracefs).error());
  if (filter && !filter->empty()) {
    list = from_ftrace(*filter, module, name);
  } else {
    list = from_kallsyms(TRY(read_file(roots.procfs + "/kallsyms")), module, name);
  }
  if (!list.empty()) {
    std::unordered_set<std::string> refused = blacklist(roots);
    std::erase_if(list, [&](const KernelFunction &function) { return refused.contains(function.name); });
  }
  std::ranges::sort(list);
  list.erase(std::ranges::unique(list).begin(), list.end());
  return list;
}

bool kernel_traces_functions(const ProbeRoots &roots) {
  if (!roots.traceable.empty()) return true;
  Result<std::string> tracefs = roots.tracefs.empty() ? tracefs_path() : Result<std::string>(roots.tracefs);
  if (!tracefs || access(tracefs->c_str(), R_OK | X_OK) != 0) return true;
  const Fd file(open((*tracefs + "/available_filter_functions").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno != ENOENT && errno != EPERM;  // EACCES: only root may read it
  char first = 0;
  return read(file.get(), &first, 1) != 0;
}

Result<> each_kernel_function_address(const ProbeRoots &roots,
                                      const std::function<void(std::string_view, std::string_view, uint64_t)> &visit) {
  std::string text = TRY(read_file(roots.procfs + "/kallsyms"));
  each_kernel_symbol(text, [&](const KernelSymbolLine &symbol) {
    if (is_text(symbol.type)) visit(symbol.module, symbol.name, symbol.address);
  });
  return {};
}

Result<bool> kernel_function_exists(std::string_view module, std::string_view name, const ProbeRoots &roots) {
  if (module.empty() || module == "vmlinux") {
    auto blob = BtfBlob::open(roots.btf);
    if (blob && btf_names_function((*blob)->bytes(), name)) return true;
  }
  std::string text = TRY(read_file(roots.procfs + "/kallsyms"));
  bool found = false;
  each_kernel_symbol(text, [&](const KernelSymbolLine &symbol) {
    found = found || (is_text(symbol.type) && symbol.name == name && module_matches(module, symbol.module));
  });
  return found;
}

}  // namespace awl
