#include "runtime/unwind/process_tables.h"

#include <bpf/bpf.h>
#include <endian.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/strings.h"
#include "runtime/unwind/prefixes.h"

namespace awl::runtime::unwind {

namespace {

constexpr uint32_t kProcessBits = 32;

auto order(const MappingKey &key) { return std::tuple(be64toh(key.address_be), key.prefix_length); }

}  // namespace

ProcessTables::Process &ProcessTables::change(uint32_t pid) {
  Process &process = processes_[pid];
  if (!process.changed) changed_.push_back(pid);
  process.changed = true;
  return process;
}

void ProcessTables::map(uint32_t pid, const awl::Mapping &mapping) {
  Process &process = change(pid);
  process.ended = false;
  place(process, pid, mapping);
}

// Puts a mapping over what was there. Memory without a file, where code may be generated, only takes away.
void ProcessTables::place(Process &process, uint32_t pid, const awl::Mapping &mapping) {
  std::vector<Range> out;
  out.reserve(process.ranges.size() + 2);
  for (const Range &old : process.ranges) {
    if (old.start < mapping.start) {
      out.push_back(old);
      out.back().end = std::min(old.end, mapping.start);
    }
    if (old.end > mapping.end) {
      out.push_back(old);
      out.back().start = std::max(old.start, mapping.end);
    }
  }
  std::shared_ptr<const FileTable> table = files_.table_of(pid, process.parent, mapping);
  const uint64_t size = mapping.end - mapping.start;
  if (const auto bias = table ? table->layout.bias(mapping.start, size, mapping.offset) : std::nullopt)
    out.insert(std::ranges::lower_bound(out, mapping.start, {}, &Range::start),
               {mapping.start, mapping.end, *bias, std::move(table)});
  process.ranges = std::move(out);
}

void ProcessTables::fork(uint32_t pid, uint32_t parent) {
  if (!processes_.contains(parent)) read(parent);
  std::vector<Range> inherited;
  if (const auto from = processes_.find(parent); from != processes_.end()) inherited = from->second.ranges;
  Process &process = change(pid);
  process.ended = false;
  process.parent = parent;
  process.ranges = std::move(inherited);
}

void ProcessTables::exec(uint32_t pid) {
  Process &process = change(pid);
  process.ended = false;
  process.ranges.clear();
}

void ProcessTables::end(uint32_t pid) {
  if (!processes_.contains(pid)) return;
  Process &process = change(pid);
  process.ended = true;
  process.ranges.clear();
}

void ProcessTables::read(uint32_t pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/maps", pid));
  if (!text || text->empty()) return;  // ended, or the kernel's own: what is known of it stays
  Process &process = change(pid);
  process.ended = false;
  process.ranges.clear();
  for (const awl::Mapping &mapping : parse_maps(*text)) place(process, pid, mapping);
}

void ProcessTables::keep(const std::set<uint32_t> &alive) {
  std::vector<uint32_t> gone;
  for (const auto &[pid, process] : processes_)
    if (!alive.contains(pid)) gone.push_back(pid);
  for (const uint32_t pid : gone) end(pid);
}

std::vector<ProcessTables::Entry> ProcessTables::entries_of(uint32_t pid, const std::vector<Range> &ranges) {
  std::vector<AddressRange> addresses;
  for (const Range &range : ranges) addresses.push_back({range.start, range.end});
  std::vector<Entry> out;
  for (const Prefix &prefix : prefixes_of(addresses)) {
    const Range &range = ranges[prefix.range];
    out.push_back({{kProcessBits + prefix.length, htobe32(pid), htobe64(prefix.address)},
                   {range.start, range.end, range.bias, range.file->number, 0}});
  }
  std::ranges::sort(out, {}, [](const Entry &entry) { return order(entry.key); });
  return out;
}

void ProcessTables::sync() {
  for (const uint32_t pid : changed_) {
    const auto at = processes_.find(pid);
    if (at == processes_.end()) continue;
    sync(pid, at->second);
    if (at->second.ended) processes_.erase(at);
  }
  changed_.clear();
}

// New ones first, so that no address is without a mapping that had one and keeps it.
void ProcessTables::sync(uint32_t pid, Process &process) {
  process.changed = false;
  std::vector<Entry> wanted = entries_of(pid, process.ranges);
  auto old = process.entered.begin();
  std::vector<MappingKey> gone;
  for (const Entry &entry : wanted) {
    for (; old != process.entered.end() && order(old->key) < order(entry.key); ++old) gone.push_back(old->key);
    const bool there = old != process.entered.end() && order(old->key) == order(entry.key);
    const bool same = there && std::memcmp(&old->value, &entry.value, sizeof(entry.value)) == 0;
    if (there) ++old;
    if (!same && bpf_map_update_elem(map_fd_, &entry.key, &entry.value, BPF_ANY) != 0) lost_++;
  }
  for (; old != process.entered.end(); ++old) gone.push_back(old->key);
  for (const MappingKey &key : gone) bpf_map_delete_elem(map_fd_, &key);
  process.entered = std::move(wanted);
}

}  // namespace awl::runtime::unwind
