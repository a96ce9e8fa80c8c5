#include "runtime/unwind/file_tables.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>

#include "base/strings.h"

namespace awl::runtime::unwind {

namespace {

constexpr size_t kMostFiles = 4 * size_t{max_files};  // with those that have no table
// Below, 32-bit programs have another vDSO than ours.
constexpr uint64_t kAbove32Bits = uint64_t{1} << 32;

// "fd:01" as the kernel's dev_t; "" (the vDSO) is 0.
std::optional<uint64_t> device_number(std::string_view text) {
  constexpr int kHexadecimal = 16, kMinorBits = 20;
  uint64_t major = 0, minor = 0;
  if (text.empty()) return 0;
  const size_t colon = std::min(text.find(':'), text.size() - 1);
  const char *const end = text.data() + text.size();
  if (std::from_chars(text.data(), text.data() + colon, major, kHexadecimal).ptr != text.data() + colon ||
      std::from_chars(text.data() + colon + 1, end, minor, kHexadecimal).ptr != end)
    return std::nullopt;
  return major << kMinorBits | minor;
}

// How the kernel tells of a mapping of the file. Nullopt if it cannot be mapped.
std::optional<awl::Mapping> map_once(const std::string &path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  void *const at = mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  close(fd);
  if (at == MAP_FAILED) return std::nullopt;
  std::optional<awl::Mapping> out;
  for (awl::Mapping &mapping : parse_maps(read_file("/proc/self/maps").value_or("")))
    if (mapping.start == reinterpret_cast<uint64_t>(at)) out = std::move(mapping);
  munmap(at, 1);
  return out;
}

}  // namespace

std::shared_ptr<const FileTable> FileTables::table_of(uint32_t pid, uint32_t parent, const awl::Mapping &mapping) {
  if (mapping.path == "[vdso]") {
    if (mapping.start < kAbove32Bits) return nullptr;
    const auto [known, fresh] = files_.try_emplace(Key{});
    if (std::shared_ptr<ElfFile> elf = fresh ? ElfFile::vdso() : nullptr) known->second = add(*elf, mapping.path);
    if (fresh && known->second) enter_inode({}, 0, *known->second);
    return known->second;
  }
  if (mapping.inode == 0) return nullptr;
  bool by_name = false;
  for (const std::string &place : places_of(pid, parent, mapping.start, mapping.end, mapping.path)) {
    struct stat status{};
    const bool found = stat(place.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    // The first place is the mapping's own file, whose number may be another below an overlay.
    const bool other = std::exchange(by_name, true) && status.st_ino != mapping.inode;
    if (!found || other) continue;
    if (const auto table = table_of_file(place, status, mapping)) return *table;
  }
  return nullptr;
}

void FileTables::prepare(const std::string &path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (const std::optional<awl::Mapping> mapping = map_once(path)) (void)table_of_file(path, status, *mapping);
}

Result<std::shared_ptr<const FileTable>> FileTables::table_of_file(const std::string &place, const struct stat &status,
                                                                   const awl::Mapping &mapping) {
  const auto size = static_cast<uint64_t>(status.st_size);
  const Key key{status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_mtim.tv_sec),
                static_cast<uint64_t>(status.st_mtim.tv_nsec), size};
  auto known = files_.find(key);
  if (known == files_.end()) {
    const Result<std::shared_ptr<ElfFile>> elf = ElfFile::open(place);
    // The process has ended since, or there are no more files or no memory now: that says nothing of the file.
    if (!elf && elf.error().sys_errno != 0) return std::unexpected(elf.error());
    std::shared_ptr<const FileTable> table = elf ? add(**elf, mapping.path) : nullptr;
    known = files_.emplace(key, std::move(table)).first;
  }
  if (known->second) enter_inode(mapping, size, *known->second);
  return known->second;
}

std::shared_ptr<const FileTable> FileTables::add(const ElfFile &elf, const std::string &path) {
  const Result<std::vector<Row>> rows = rows_of(elf);
  if (!rows) {
    left_out_.push_back({path, rows.error().message});
    return nullptr;
  }
  if (rows->empty()) return nullptr;
  const size_t bytes = block_count(rows->size()) * block_size;
  if (bytes_ + bytes > look_from_ || bytes_ + bytes > most_bytes_ || files_.size() > kMostFiles) give_back_unused();
  if (bytes_ + bytes > most_bytes_) {
    left_out_.push_back({path, fmt::format("the tables of all files would take more than {} MB", most_bytes_ >> 20)});
    return nullptr;
  }
  Result<std::shared_ptr<const FileTable>> table = enter(*rows, elf);
  if (table) return *table;
  left_out_.push_back({path, table.error().message});
  return nullptr;
}

Result<std::shared_ptr<const FileTable>> FileTables::enter(const std::vector<Row> &rows, const ElfFile &elf) {
  std::optional<uint32_t> number = free_number();
  if (!number) {
    give_back_unused();
    number = free_number();
  }
  if (!number) return fail(fmt::format("there are tables of {} other files", max_files));

  const size_t blocks = block_count(rows.size()), bytes = blocks * block_size;
  bpf_map_create_opts options;
  std::memset(&options, 0, sizeof(options));
  options.sz = sizeof(options);
  options.map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE;
  const int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "awl_rows", sizeof(uint32_t), block_size,
                                   static_cast<uint32_t>(blocks), &options);
  if (inner < 0) return fail_errno("make its table");
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, inner, 0);
  if (memory == MAP_FAILED) {
    const int failed = errno;
    close(inner);
    return fail_errno("fill its table", failed);
  }
  write_blocks(rows, {static_cast<std::byte *>(memory), bytes});
  munmap(memory, bytes);
  publish(*number, inner, elf.path());
  taken_[*number] = true;
  next_number_ = *number + 1;
  bytes_ += bytes;
  return std::make_shared<const FileTable>(FileTable{*number, layout_of(elf), bytes});
}

// The kernel stores a map in a map at once, but returns only when no program can see the old one any more, some ten
// milliseconds later: that is left to a thread which does nothing else.
void FileTables::publish(uint32_t number, int table, const std::string &path) {
  std::erase_if(publishing_, [&](Publishing &one) {
    return one.error.wait_for(std::chrono::seconds(0)) == std::future_status::ready && finish(one);
  });
  const auto store = [map = map_fd_, number, table] {
    const int error = bpf_map_update_elem(map, &number, &table, BPF_ANY) == 0 ? 0 : errno;
    close(table);
    return error;
  };
  try {
    publishing_.push_back({path, std::async(std::launch::async, store)});
  } catch (const std::system_error &) {  // no more threads
    if (const int error = store(); error != 0) left_out_.push_back({path, std::strerror(error)});
  }
}

bool FileTables::finish(Publishing &one) {
  if (const int error = one.error.get(); error != 0) left_out_.push_back({one.path, std::strerror(error)});
  return true;
}

void FileTables::settle() {
  for (Publishing &one : publishing_) finish(one);
  publishing_.clear();
}

// Where the kernel tells of a mapping, it names the inode by these numbers, which need not be those of stat(2): files
// of btrfs have another device there, files below an overlay another inode.
void FileTables::enter_inode(const awl::Mapping &mapping, uint64_t size, const FileTable &table) {
  const std::optional<uint64_t> device = device_number(mapping.device);
  const auto &segments = table.layout.code;
  if (!device || segments.size() > most_segments) return;
  const FileKey key{*device, mapping.inode, size};
  const auto [at, fresh] = inodes_.try_emplace({key.device, key.inode, key.size}, table.number);
  if (!fresh && at->second == table.number) return;
  at->second = table.number;
  FileCode code{};
  code.file = table.number;
  std::ranges::copy(segments, code.segments);
  bpf_map_update_elem(inodes_fd_, &key, &code, BPF_ANY);
}

void FileTables::forget_inodes(uint32_t number) {
  std::erase_if(inodes_, [&](const auto &entry) {
    if (entry.second != number) return false;
    const FileKey key{entry.first[0], entry.first[1], entry.first[2]};
    bpf_map_delete_elem(inodes_fd_, &key);
    return true;
  });
}

// The one that was given back longest ago: a walk that has just read the number finds no other file there.
std::optional<uint32_t> FileTables::free_number() const {
  for (uint32_t i = 0; i < max_files; i++)
    if (const uint32_t number = (next_number_ + i) % max_files; !taken_[number]) return number;
  return std::nullopt;
}

void FileTables::give_back_unused() {
  std::erase_if(files_, [&](const auto &entry) {
    const auto &[key, table] = entry;
    if (!table) return true;
    if (table.use_count() > 1) return false;
    forget_inodes(table->number);
    bpf_map_delete_elem(map_fd_, &table->number);
    taken_[table->number] = false;
    bytes_ -= table->bytes;
    return true;
  });
  look_from_ = std::max(kKeepBytes, 2 * bytes_);
}

}  // namespace awl::runtime::unwind
