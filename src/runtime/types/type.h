// Types of values, as the compiler reasons about them and as the runtime decodes them. Immutable and
// interned by a TypeStore: equal types are the same pointer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace awl {

enum class TypeKind : uint8_t {
  Poison,  // an error was reported; fits everywhere
  Void,
  Bool,  // 1 byte
  Int,   // 1, 2, 4 or 8 bytes, signed or not
  Enum,  // an integer whose values have names
  Pointer,
  Array,      // `count` elements of `target`
  Struct,     // struct or union
  String,     // `size` bytes including the NUL, unused bytes are zero
  Buffer,     // {uint32 length; uint8 data[count]}: length is what was read
  Tuple,      // fields "0", "1", ...; of a record: named fields
  Stack,      // {int32 id; uint32 pid}: id in the stack map, < 0 is a negated errno; pid 0 for kernel stacks
  Aggregate,  // value of a map that count(), hist() ... update; `target` is the type of their argument
};

// How a value is shown, where that is not given by its kind. The byte layout is part of the contract
// between compiled programs and the runtime.
enum class Display : uint8_t {
  None,
  KernelSymbol,  // uint64 address
  UserSymbol,    // {uint64 address; uint32 pid; uint32 0}
  Username,      // uint64 uid
  Timestamp,     // {uint64 nanoseconds; uint32 index of the format in Manifest::strings; uint32 ClockId}
  Inet,          // {uint32 AF_INET or AF_INET6; uint8 address[16]}
  MacAddress,    // uint8[6]
  CgroupPath,    // {uint64 id; uint32 index of the filter in Manifest::strings; uint32 0}
  ProbeName,     // uint64 attach cookie, or kStringCookie | index in Manifest::strings
  FunctionName,  // as ProbeName, shown is the function's part only
  Ratio,         // tuple of two integers, numerator and denominator: shown as a decimal fraction
};
constexpr uint64_t kStringCookie = 1ULL << 63;

enum class ClockId : uint8_t { Boot, Monotonic, Tai, Wall };

// Where a pointer points to, i.e. how it is read.
enum class AddressSpace : uint8_t { Unknown, Kernel, User };

enum class AggregateKind : uint8_t { Count, Sum, Min, Max, Avg, Stats, Hist, LHist, TSeries };
// Layout of one CPU's value, all members 8 bytes:
//   Count {count}  Sum {total, set}  Min, Max {value, set}  Avg, Stats {count, total}
//   Hist {bucket[hist_buckets(bits)], sum}  LHist {bucket[lhist_buckets(min, max, step)], sum}
//   TSeries {epoch, value, extra}[series_length], the interval `epoch` (wall clock / interval, 0: none) at
//     epoch % series_length; extra is 0 without values, the number of values for Avg, the time for Last, else 1

// What tseries() keeps of the values of one interval.
enum class SeriesKind : uint8_t { Last, Avg, Max, Min, Sum };

enum class StackMode : uint8_t { Bpftrace, Perf, Raw, BuildId, Folded };

// Who described a struct; decides whether an access is relocated when the program is loaded.
enum class Origin : uint8_t {
  None,
  KernelBtf,  // CO-RE against the running kernel's BTF
  Tracefs,    // CO-RE against the event's format file of the running kernel
  Script,     // fixed layout
  Dwarf,      // fixed layout
  Context,    // words of a BPF program's context, known when it is compiled
};

struct Type;

struct Field {
  std::string name;  // empty: anonymous struct or union
  const Type *type = nullptr;
  uint32_t offset = 0;     // bytes from the start of the struct; of a bitfield: of its storage unit
  uint8_t bit_offset = 0;  // within the storage unit, from the least significant bit
  uint8_t bits = 0;        // bitfield width, 0 if not a bitfield
  // tracefs __data_loc and __rel_loc: the member is 4 bytes, {uint16 offset, uint16 length} of bytes elsewhere in
  // the record, and `type` is a pointer (Kernel) to their element: for char the string in the record.
  bool data_loc = false;
  bool rel_loc = false;  // with data_loc: offset counts from the end of the member, not from the record
  // Bytes that the member takes in its struct.
  [[nodiscard]] uint32_t stored_size() const;
  friend bool operator==(const Field &, const Field &) = default;
};

struct Enumerator {
  std::string name;
  int64_t value = 0;
  friend bool operator==(const Enumerator &, const Enumerator &) = default;
};

struct Type {
  TypeKind kind = TypeKind::Void;
  Display display = Display::None;
  bool is_signed = false;   // Int, Enum
  bool is_union = false;    // Struct
  bool is_record = false;   // Tuple with names
  bool is_typedef = false;  // Struct: anonymous, `name` is the typedef that it was reached by ("atomic_t")
  AddressSpace space = AddressSpace::Unknown;  // Pointer
  Origin origin = Origin::None;                // Struct
  uint32_t size = 0;                           // bytes of a value
  uint32_t count = 0;                          // Array: elements; Buffer: capacity
  const Type *target = nullptr;                // Pointer, Array, Aggregate
  std::string name;                            // Struct, Enum: without keyword; Int: spelling of a typedef, if any
  std::vector<Field> fields;                   // Struct (see TypeStore::fields), Tuple
  std::vector<Enumerator> enumerators;
  uint32_t btf_id = 0;  // Struct: id in the BTF it came from; of origin Script: number of its definition

  AggregateKind aggregate = AggregateKind::Count;
  uint32_t hist_bits = 0;  // Hist
  int64_t lhist_min = 0, lhist_max = 0, lhist_step = 0;

  SeriesKind series = SeriesKind::Last;  // TSeries
  int64_t series_interval = 0;           // nanoseconds
  uint32_t series_length = 0;            // intervals that are kept

  bool stack_user = false;  // Stack
  StackMode stack_mode = StackMode::Bpftrace;
  uint32_t stack_frames = 0;

  // Fits in a register: everything else is handled as bytes in memory.
  [[nodiscard]] bool is_scalar() const {
    return kind == TypeKind::Bool || kind == TypeKind::Int || kind == TypeKind::Enum || kind == TypeKind::Pointer ||
           kind == TypeKind::Poison;
  }
  [[nodiscard]] bool is_integral() const {
    return kind == TypeKind::Bool || kind == TypeKind::Int || kind == TypeKind::Enum;
  }
  [[nodiscard]] bool is_pointer() const { return kind == TypeKind::Pointer; }
  [[nodiscard]] bool is_string() const { return kind == TypeKind::String; }
  [[nodiscard]] bool is_poison() const { return kind == TypeKind::Poison; }
  [[nodiscard]] bool is_struct() const { return kind == TypeKind::Struct; }

  // Member by member; types that a store interned are compared by address instead.
  friend bool operator==(const Type &, const Type &) = default;
};

inline uint32_t Field::stored_size() const { return data_loc ? 4 : type ? type->size : 0; }

// "uint64", "struct task_struct *", "string[64]", "(uint64, string[16])", "hist": as a script writes it.
std::string to_string(const Type *type);

// One bucket for negative values, then 2^bits for each power of two up to 2^63 (runtime/types/histogram.h).
constexpr uint32_t hist_buckets(uint32_t bits) { return ((64 - bits) << bits) + 1; }
constexpr uint32_t lhist_buckets(int64_t min, int64_t max, int64_t step) {
  return static_cast<uint32_t>((max - min) / step) + 2;
}

constexpr uint32_t kSeriesSlotSize = 24;  // {epoch, value, extra}
// A value of a per-CPU map has at most 32 KB. A longer series stands in parts of so many intervals, each an entry of a
// map of its own: see MapInfo::parts.
constexpr uint32_t kSeriesInOne = 32768 / kSeriesSlotSize;
constexpr uint32_t kSeriesPart = 128;
constexpr uint32_t kMaxSeries = 1'000'000;
inline bool in_parts(const Type &type) {
  return type.aggregate == AggregateKind::TSeries && type.series_length > kSeriesInOne;
}
constexpr uint32_t series_parts(uint32_t length) { return (length + kSeriesPart - 1) / kSeriesPart; }

}  // namespace awl
