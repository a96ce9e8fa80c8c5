#include "runtime/types/builtin_types.h"

#include <span>

#include "base/strings.h"

namespace awl {
namespace {

struct IntegerName {
  std::string_view name;
  uint8_t size;
  bool is_signed;
};

constexpr IntegerName kIntegers[] = {
    {"int8", 1, true},      {"int16", 2, true},      {"int32", 4, true},      {"int64", 8, true},
    {"uint8", 1, false},    {"uint16", 2, false},    {"uint32", 4, false},    {"uint64", 8, false},
    {"s8", 1, true},        {"s16", 2, true},        {"s32", 4, true},        {"s64", 8, true},
    {"u8", 1, false},       {"u16", 2, false},       {"u32", 4, false},       {"u64", 8, false},
    {"__s8", 1, true},      {"__s16", 2, true},      {"__s32", 4, true},      {"__s64", 8, true},
    {"__u8", 1, false},     {"__u16", 2, false},     {"__u32", 4, false},     {"__u64", 8, false},
    {"int8_t", 1, true},    {"int16_t", 2, true},    {"int32_t", 4, true},    {"int64_t", 8, true},
    {"uint8_t", 1, false},  {"uint16_t", 2, false},  {"uint32_t", 4, false},  {"uint64_t", 8, false},
    {"u_int8_t", 1, false}, {"u_int16_t", 2, false}, {"u_int32_t", 4, false}, {"u_int64_t", 8, false},
    {"size_t", 8, false},   {"ssize_t", 8, true},    {"intptr_t", 8, true},   {"uintptr_t", 8, false},
    {"ptrdiff_t", 8, true}, {"uint", 4, false},      {"ulong", 8, false},     {"ushort", 2, false},
};

constexpr IntegerName kTypedefs[] = {
    {"pid_t", 4, true},          {"uid_t", 4, false},       {"gid_t", 4, false},
    {"dev_t", 4, false},         {"mode_t", 4, false},      {"umode_t", 2, false},
    {"nlink_t", 4, false},       {"off_t", 8, true},        {"loff_t", 8, true},
    {"key_t", 4, true},          {"mqd_t", 4, true},        {"timer_t", 4, true},
    {"clockid_t", 4, true},      {"time_t", 8, true},       {"time64_t", 8, true},
    {"clock_t", 8, true},        {"ino_t", 8, false},       {"sector_t", 8, false},
    {"blkcnt_t", 8, false},      {"gfp_t", 4, false},       {"fmode_t", 4, false},
    {"qid_t", 4, false},         {"id_t", 4, true},         {"aio_context_t", 8, false},
    {"key_serial_t", 4, true},   {"rwf_t", 4, true},        {"old_sigset_t", 8, false},
    {"phys_addr_t", 8, false},   {"dma_addr_t", 8, false},  {"ktime_t", 8, true},
    {"pgoff_t", 8, false},       {"cputime_t", 8, false},   {"__be16", 2, false},
    {"__be32", 4, false},        {"__be64", 8, false},      {"__le16", 2, false},
    {"__le32", 4, false},        {"__le64", 8, false},      {"__sum16", 2, false},
    {"__wsum", 4, false},        {"sa_family_t", 2, false}, {"socklen_t", 4, false},
    {"blk_opf_t", 4, false},     {"vm_fault_t", 4, false},  {"__kernel_size_t", 8, false},
    {"__kernel_pid_t", 4, true}, {"__poll_t", 4, false},
};

struct DisplayName {
  std::string_view name;
  Display display;
};
constexpr DisplayName kDisplays[] = {
    {"ksym_t", Display::KernelSymbol},      {"usym_t", Display::UserSymbol}, {"username_t", Display::Username},
    {"timestamp", Display::Timestamp},      {"inet", Display::Inet},         {"macaddr_t", Display::MacAddress},
    {"cgroup_path_t", Display::CgroupPath},
};

struct AggregateName {
  std::string_view name;
  AggregateKind kind;
  bool is_signed;
};
constexpr AggregateName kAggregates[] = {
    {"count_t", AggregateKind::Count, true},   {"sum_t", AggregateKind::Sum, true},
    {"min_t", AggregateKind::Min, true},       {"max_t", AggregateKind::Max, true},
    {"avg_t", AggregateKind::Avg, true},       {"stats_t", AggregateKind::Stats, true},
    {"usum_t", AggregateKind::Sum, false},     {"umin_t", AggregateKind::Min, false},
    {"umax_t", AggregateKind::Max, false},     {"uavg_t", AggregateKind::Avg, false},
    {"ustats_t", AggregateKind::Stats, false},
};

const IntegerName *lookup(std::span<const IntegerName> table, std::string_view name) {
  for (const IntegerName &entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

// C's integer types, their words in any order: "long unsigned int". Plain char is signed, as on x86-64.
const Type *c_integer(TypeStore &store, std::string_view name) {
  int is_signed = 0, is_unsigned = 0, chars = 0, shorts = 0, ints = 0, longs = 0;
  for (const std::string &word : split(name, ' ')) {
    if (word == "signed" || word == "__signed__")
      ++is_signed;
    else if (word == "unsigned")
      ++is_unsigned;
    else if (word == "char")
      ++chars;
    else if (word == "short")
      ++shorts;
    else if (word == "int")
      ++ints;
    else if (word == "long")
      ++longs;
    else
      return nullptr;
  }
  bool base_ok = chars + shorts + (longs ? 1 : 0) <= 1 && chars + ints <= 1 && longs <= 2;
  if (!base_ok || is_signed + is_unsigned > 1) return nullptr;
  uint32_t size = chars ? 1 : shorts ? 2 : longs ? 8 : 4;
  return store.integer(size, is_unsigned == 0);
}

}  // namespace

const Type *builtin_type(TypeStore &store, std::string_view name) {
  if (const IntegerName *entry = lookup(kIntegers, name)) return store.integer(entry->size, entry->is_signed);
  if (name == "void") return store.void_type();
  if (name == "bool" || name == "_Bool") return store.boolean();
  if (name == "string") return store.string(0);
  if (name == "buffer") return store.buffer(0);
  for (const DisplayName &entry : kDisplays) {
    if (entry.name == name) return store.display_type(entry.display);
  }
  for (const AggregateName &entry : kAggregates) {
    if (entry.name == name) return store.aggregate(entry.kind, store.integer(8, entry.is_signed));
  }
  return c_integer(store, name);
}

const Type *common_typedef(TypeStore &store, std::string_view name) {
  const IntegerName *entry = lookup(kTypedefs, name);
  return entry ? store.integer(entry->size, entry->is_signed) : nullptr;
}

std::vector<std::string> builtin_type_names() {
  std::vector<std::string> out = {"void", "bool", "string", "buffer", "char", "short", "int", "long"};
  for (const IntegerName &entry : kIntegers) out.emplace_back(entry.name);
  for (const DisplayName &entry : kDisplays) out.emplace_back(entry.name);
  for (const AggregateName &entry : kAggregates) out.emplace_back(entry.name);
  return out;
}

}  // namespace awl
