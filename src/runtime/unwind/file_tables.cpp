#include "runtime/unwind/file_tables.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace awl::runtime::unwind {

namespace {

constexpr size_t kMostFiles = 4 * size_t{max_files};  // with those that have no table
// Below, 32-bit programs have another vDSO than ours.
constexpr uint64_t kAbove32Bits = uint64_t{1} << 32;

}  // namespace

std::shared_ptr<const FileTable> FileTables::table_of(uint32_t pid, uint32_t parent, const awl::Mapping &mapping) {
  if (mapping.path == "[vdso]") {
    if (mapping.start < kAbove32Bits) return nullptr;
    const auto [known, fresh] = files_.try_emplace(Key{});
    if (std::shared_ptr<ElfFile> elf = fresh ? ElfFile::vdso() : nullptr) known->second = add(*elf, mapping.path);
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
    const Key key{status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_mtim.tv_sec),
                  static_cast<uint64_t>(status.st_mtim.tv_nsec), static_cast<uint64_t>(status.st_size)};
    if (const auto known = files_.find(key); known != files_.end()) return known->second;
    const Result<std::shared_ptr<ElfFile>> elf = ElfFile::open(place);
    // No more files, or no memory, now: it is tried again for the next mapping.
    if (!elf && (elf.error().sys_errno == EMFILE || elf.error().sys_errno == ENFILE || elf.error().sys_errno == ENOMEM))
      return nullptr;
    std::shared_ptr<const FileTable> table = elf ? add(**elf, mapping.path) : nullptr;
    files_[key] = table;
    return table;
  }
  return nullptr;
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
  int failed = memory == MAP_FAILED ? errno : 0;
  if (failed == 0) {
    write_blocks(rows, {static_cast<std::byte *>(memory), bytes});
    munmap(memory, bytes);
    if (bpf_map_update_elem(map_fd_, &*number, &inner, BPF_ANY) != 0) failed = errno;
  }
  close(inner);
  if (failed != 0) return fail_errno("enter its table", failed);
  taken_[*number] = true;
  next_number_ = *number + 1;
  bytes_ += bytes;
  return std::make_shared<const FileTable>(FileTable{*number, layout_of(elf), bytes});
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
    bpf_map_delete_elem(map_fd_, &table->number);
    taken_[table->number] = false;
    bytes_ -= table->bytes;
    return true;
  });
  look_from_ = std::max(kKeepBytes, 2 * bytes_);
}

}  // namespace awl::runtime::unwind
