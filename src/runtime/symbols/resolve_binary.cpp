// Finding the file that a user means by "bash", "libc", "./a.out" or "/usr/bin/python3", also in the file
// system of a process that lives in a container or a chroot.
#include <elf.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>
#include <filesystem>

#include "base/search_path.h"
#include "base/strings.h"
#include "runtime/symbols/elf_file.h"
#include "runtime/symbols/process_maps.h"
#include "runtime/symbols/zip_archive.h"

namespace awl {

namespace {

bool is_file(const std::string &path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string read_link(const std::string &path) {
  std::array<char, PATH_MAX> target{};
  ssize_t length = readlink(path.c_str(), target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<size_t>(length));
}

// Follows symbolic links below `root` as a process with that root would: an absolute link must not lead
// back into our own file system.
std::string below(const std::string &root, std::string_view path) {
  if (root.empty()) return std::string(path);
  std::vector<std::string> todo = split(path, '/');
  std::string done;
  int links = 0;
  for (size_t i = 0; i < todo.size(); i++) {
    std::string part = todo[i];
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      done.erase(done.rfind('/') == std::string::npos ? 0 : done.rfind('/'));
      continue;
    }
    std::string link = read_link(root + done + "/" + part);
    if (link.empty() || ++links > 40) {
      done += "/" + part;
      continue;
    }
    if (link[0] == '/') done.clear();
    std::vector<std::string> rest = split(link, '/');
    rest.insert(rest.end(), todo.begin() + static_cast<ptrdiff_t>(i) + 1, todo.end());
    todo = std::move(rest);
    i = static_cast<size_t>(-1);
  }
  return root + done;
}

std::string search_path(std::string_view name, const std::string &root) {
  for (const std::string &folder : search_folders()) {
    if (folder[0] != '/') continue;
    std::string found = below(root, folder + "/" + std::string(name));
    if (is_executable_file(found)) return found;
  }
  return "";
}

// "libssl" and "libssl.so" stand for libssl.so.3; "libssl.so.3" only for itself.
bool library_matches(std::string_view file, std::string_view wanted) {
  if (file == wanted) return true;
  if (!file.starts_with(wanted)) return false;
  file.remove_prefix(wanted.size());
  return wanted.find(".so") == std::string_view::npos ? file.starts_with(".so") : file.starts_with(".");
}

// The cache of the dynamic linker, format "glibc-ld.so.cache1.1" (glibc 2.2 and later), which may stand
// behind a table of the older format.
std::string search_linker_cache(std::string_view wanted, const std::string &root) {
  struct Header {
    char magic[20];
    uint32_t count, strings_size;
    uint32_t unused[5];
  };
  struct Entry {
    int32_t flags;
    uint32_t key, value, os_version;
    uint64_t hardware;
  };
#if defined(__x86_64__)
  constexpr int32_t kFlags = 0x0303;  // libc6, x86-64
#else
  constexpr int32_t kFlags = 0x0a03;  // libc6, arm64
#endif
  auto content = read_file(root + "/etc/ld.so.cache");
  if (!content) return "";
  size_t start = content->find("glibc-ld.so.cache1.1");
  if (start == std::string::npos) return "";
  std::string_view cache = std::string_view(*content).substr(start);
  Header header;
  if (cache.size() < sizeof(header)) return "";
  std::memcpy(&header, cache.data(), sizeof(header));
  if (header.count > (cache.size() - sizeof(header)) / sizeof(Entry)) return "";
  auto text = [&](uint32_t offset) {
    std::string_view rest = offset < cache.size() ? cache.substr(offset) : std::string_view{};
    return rest.substr(0, rest.find('\0'));
  };
  for (uint32_t i = 0; i < header.count; i++) {  // newest version first
    Entry entry;
    std::memcpy(&entry, cache.data() + sizeof(header) + i * sizeof(entry), sizeof(entry));
    if (entry.flags != kFlags || !library_matches(text(entry.key), wanted)) continue;
    std::string found = below(root, text(entry.value));
    if (is_file(found)) return found;
  }
  return "";
}

// Where libraries live if there is no cache (musl, a small container).
std::string search_library_folders(std::string_view wanted, const std::string &root) {
  for (const char *folder :
       {"/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu", "/usr/local/lib", "/usr/lib", "/lib"}) {
    std::error_code error;
    std::string best;
    for (const auto &entry : std::filesystem::directory_iterator(below(root, folder), error)) {
      std::string file = entry.path().filename();
      if (library_matches(file, wanted) && (best.empty() || file.size() < best.size())) best = file;
    }
    if (!best.empty()) return below(root, std::string(folder) + "/" + best);
  }
  return "";
}

std::string map_file(const Mapping &mapping, int pid) {
  return fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start, mapping.end);
}

// The file that the process has mapped by this name, if it has lost the name since: an upgrade has put another one
// there, or none. "" if it has not.
std::string still_mapped(const std::string &path, int pid, const std::string &root) {
  if (pid <= 0) return "";
  const Result<std::vector<Mapping>> mappings = mappings_of(static_cast<uint32_t>(pid));
  if (!mappings) return "";
  // Where links lead to, and, of a process in a chroot, the name that we know the file by.
  const std::string target = below(root, path).substr(root.size());
  std::string above = read_link(fmt::format("/proc/{}/root", pid));
  if (above == "/") above.clear();
  for (const Mapping &mapping : *mappings)
    if (mapping.deleted && (mapping.path == path || mapping.path == above + path || mapping.path == above + target))
      return map_file(mapping, pid);
  return "";
}

// A library that the process has mapped, wherever its linker found it (RUNPATH, LD_LIBRARY_PATH, dlopen()): by the name
// of its file, or by that which it has among libraries. "" if there is none.
std::string mapped_library(std::string_view wanted, int pid, const std::string &root) {
  if (pid <= 0) return "";
  const Result<std::vector<Mapping>> mappings = mappings_of(static_cast<uint32_t>(pid));
  if (!mappings) return "";
  const auto openable = [&](const Mapping &mapping) {
    struct stat info{};
    // Of a process in a chroot it is the name that we know.
    for (const std::string &path : {root + mapping.path, mapping.path})
      if (!mapping.deleted && stat(path.c_str(), &info) == 0 && info.st_ino == mapping.inode) return path;
    return map_file(mapping, pid);
  };
  for (const Mapping &mapping : *mappings)
    if (mapping.inode != 0 && library_matches(mapping.path.substr(mapping.path.rfind('/') + 1), wanted))
      return openable(mapping);
  for (const Mapping &mapping : *mappings) {
    if (mapping.inode == 0 || !mapping.path.starts_with('/')) continue;
    const Result<std::shared_ptr<ElfFile>> elf = ElfFile::open(map_file(mapping, pid));
    if (elf && library_matches((*elf)->library_name(), wanted)) return openable(mapping);
  }
  return "";
}

std::string search_library(std::string_view name, int pid, const std::string &root) {
  std::string wanted(name);
  if (!wanted.starts_with("lib") && wanted.find(".so") == std::string::npos) wanted = "lib" + wanted;
  std::string found = mapped_library(wanted, pid, root);
  if (found.empty()) found = search_linker_cache(wanted, root);
  return found.empty() ? search_library_folders(wanted, root) : found;
}

}  // namespace

std::string process_root(int pid) {
  if (pid == 0) return "";
  std::string proc = fmt::format("/proc/{}", pid);
  struct stat theirs{}, ours{};
  if (stat((proc + "/root/").c_str(), &theirs) != 0 || stat("/proc/self/root/", &ours) != 0) return "";
  bool same_root = theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
  bool same_mounts = read_link(proc + "/ns/mnt") == read_link("/proc/self/ns/mnt");
  return same_root && same_mounts ? "" : proc + "/root";
}

Result<std::string> resolve_binary(std::string_view name, int pid) {
  if (name.empty()) return fail("the name of the program or library is missing");
  std::string root = process_root(pid);
  if (name.find('/') != std::string_view::npos) {
    std::filesystem::path path(name);
    if (path.is_relative()) {
      std::error_code error;
      path = (std::filesystem::current_path(error) / path).lexically_normal();
    }
    if (std::string mapped = still_mapped(path, pid, root); !mapped.empty()) return mapped;
    // The process' own /proc/PID/root/... and /proc/PID/map_files/... are paths of ours.
    const std::string prefix = path.native().starts_with("/proc/") ? std::string() : root;
    std::string found = below(prefix, path.native());
    if (access(found.c_str(), F_OK) == 0) return found;
    const BinaryPath place = split_binary_path(path.native());
    found = below(prefix, place.file);
    if (access(found.c_str(), F_OK) != 0) return fail_errno(fmt::format("cannot open `{}`", found));
    return place.member.empty() ? found : found + "!/" + place.member;
  }
  bool library = name.starts_with("lib") || name.find(".so") != std::string_view::npos;
  std::string found = library ? search_library(name, pid, root) : search_path(name, root);
  if (found.empty()) found = library ? search_path(name, root) : search_library(name, pid, root);
  if (!found.empty()) return found;
  std::string hint = "give the path of the file";
  if (access(std::string(name).c_str(), F_OK) == 0)
    hint = fmt::format("for the file in this folder write `./{}`", name);
  return fail(fmt::format("no program or library `{}` in PATH or in the linker's cache", name), hint);
}

}  // namespace awl
