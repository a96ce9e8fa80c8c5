#include "runtime/unwind/eh_frame.h"

#include <dwarf.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "runtime/unwind/call_frames.h"

// The section is a list of entries, {u32 length, u32 id, ...}. Those with id 0 (CIE) hold what several functions share;
// the others (FDE) are one for each range of code, and their id is the distance back to the CIE.

namespace awl::runtime::unwind {

namespace {

constexpr uint32_t kLongEntry = 0xffffffff;  // a length of 64 bits follows
// Functions are aligned to 16 bytes; the padding between two of them is never run and gets no row of its own.
constexpr uint64_t kPadding = 16;
constexpr uint8_t kForm = 0x0f, kRelation = 0x70;  // parts of DW_EH_PE_*

struct Function {
  uint64_t begin = 0, end = 0;  // [begin, end)
  const CommonFrame *common = nullptr;
  std::string_view program;
};

class EhFrameReader {
 public:
  EhFrameReader(const EhFrame &section, size_t limit) : section_(section), limit_(limit) {}
  std::optional<std::vector<Row>> read();

 private:
  void collect();
  void take_entry(std::string_view entry, size_t at);
  [[nodiscard]] std::optional<CommonFrame> parse_common(std::string_view entry) const;
  [[nodiscard]] std::optional<Function> parse_function(std::string_view entry, const CommonFrame &common) const;
  std::optional<uint64_t> pointer(Reader &reader, uint8_t encoding) const;
  void run(const Function &function);
  void add(uint64_t address, Row row);

  const EhFrame &section_;
  size_t limit_;
  std::unordered_map<size_t, CommonFrame> commons_;  // by place in the section
  std::vector<Function> functions_;
  std::vector<Row> rows_;
};

std::optional<std::vector<Row>> EhFrameReader::read() {
  collect();
  std::ranges::sort(functions_, {}, [](const Function &f) { return std::pair(f.begin, f.program.data()); });
  uint64_t end = 0;
  for (const Function &function : functions_) {
    if (end != 0 && function.begin >= end + kPadding) add(end, {});
    // One that reaches into the next is cut.
    while (!rows_.empty() && rows_.back().address >= function.begin - section_.base) rows_.pop_back();
    run(function);
    end = function.end;
    if (rows_.size() > limit_) return std::nullopt;
  }
  if (end != 0) add(end, {});
  if (rows_.size() > limit_ || functions_.size() > limit_) return std::nullopt;
  return std::move(rows_);
}

void EhFrameReader::collect() {
  const std::string_view all = section_.bytes;
  size_t at = 0;
  while (all.size() - at >= sizeof(uint32_t) && functions_.size() <= limit_) {
    Reader reader(all.substr(at));
    uint64_t length = reader.fixed<uint32_t>();
    const bool is_long = length == kLongEntry;
    if (is_long) length = reader.fixed<uint64_t>();
    const size_t id_at = all.size() - reader.left();
    if (length > reader.left()) return;
    at = id_at + length;
    // An empty one ends the section in the eyes of a linker that puts nothing behind it; others do.
    if (!is_long && length >= sizeof(uint32_t)) take_entry(all.substr(id_at, length), id_at);
  }
}

void EhFrameReader::take_entry(std::string_view entry, size_t at) {
  Reader reader(entry);
  const auto id = reader.fixed<uint32_t>();
  entry.remove_prefix(sizeof(id));
  if (id == 0) {
    if (auto common = parse_common(entry)) commons_.emplace(at, std::move(*common));
    return;
  }
  // Back to the length of the other entry. Only what was found as an entry counts, or a file could have each of its
  // bytes read many times over.
  const auto common = commons_.find(at - id + sizeof(uint32_t));
  if (common == commons_.end()) return;
  if (auto function = parse_function(entry, common->second)) functions_.push_back(*function);
}

// version, augmentation, code and data alignment, register of the return address, augmentation data, program
std::optional<CommonFrame> EhFrameReader::parse_common(std::string_view entry) const {
  Reader reader(entry);
  CommonFrame out;
  const auto version = reader.fixed<uint8_t>();
  if (version != 1 && version != 3) return std::nullopt;
  std::string_view augmentation = reader.text();
  out.code_unit = reader.uleb();
  out.data_unit = reader.sleb();
  const uint64_t return_register = version == 1 ? reader.fixed<uint8_t>() : reader.uleb();
  if (return_register != static_cast<uint64_t>(Register::Return)) return std::nullopt;
  if (augmentation.starts_with('z')) {
    augmentation.remove_prefix(1);
    out.sized = true;
    Reader data(reader.take(reader.uleb()));
    for (const char letter : augmentation) {
      switch (letter) {
        case 'R': out.pointers = data.fixed<uint8_t>(); break;
        case 'L': data.fixed<uint8_t>(); break;
        case 'S': out.signal = true; break;
        case 'P':  // the encoding and address of a function
          if (!pointer(data, data.fixed<uint8_t>() & kForm)) return std::nullopt;
          break;
        default: return std::nullopt;
      }
    }
    if (data.failed()) return std::nullopt;
  } else if (!augmentation.empty()) {
    return std::nullopt;
  }
  if (reader.failed()) return std::nullopt;
  Interpreter interpreter(reader.take(reader.left()), out);
  while (interpreter.run()) {
  }
  out.initial = interpreter.rules();
  return out;
}

// begin, size, augmentation data, program
std::optional<Function> EhFrameReader::parse_function(std::string_view entry, const CommonFrame &common) const {
  Reader reader(entry);
  const std::optional<uint64_t> begin = pointer(reader, common.pointers);
  const std::optional<uint64_t> size = pointer(reader, common.pointers & kForm);
  if (!begin || !size || *begin < section_.base || *size == 0) return std::nullopt;
  // Rows hold 32 bits.
  const uint64_t from_base = *begin - section_.base;
  if (from_base >= no_address || *size >= no_address - from_base) return std::nullopt;
  if (common.sized) reader.take(reader.uleb());
  if (reader.failed()) return std::nullopt;
  return Function{*begin, *begin + *size, &common, reader.take(reader.left())};
}

// Nullopt for the encodings that need more than the section: relative to other sections, indirect.
std::optional<uint64_t> EhFrameReader::pointer(Reader &reader, uint8_t encoding) const {
  const uint64_t place = section_.address + static_cast<uint64_t>(reader.place() - section_.bytes.data());
  uint64_t value = 0;
  switch (encoding & kForm) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8: value = reader.fixed<uint64_t>(); break;
    case DW_EH_PE_uleb128: value = reader.uleb(); break;
    case DW_EH_PE_sleb128: value = static_cast<uint64_t>(reader.sleb()); break;
    case DW_EH_PE_udata2: value = reader.fixed<uint16_t>(); break;
    case DW_EH_PE_udata4: value = reader.fixed<uint32_t>(); break;
    case DW_EH_PE_sdata2: value = static_cast<uint64_t>(reader.fixed<int16_t>()); break;
    case DW_EH_PE_sdata4: value = static_cast<uint64_t>(reader.fixed<int32_t>()); break;
    default: return std::nullopt;
  }
  if (reader.failed() || (encoding & DW_EH_PE_indirect) != 0) return std::nullopt;
  if ((encoding & kRelation) == DW_EH_PE_pcrel) return place + value;
  return (encoding & kRelation) == DW_EH_PE_absptr ? std::optional(value) : std::nullopt;
}

void EhFrameReader::run(const Function &function) {
  if (function.common->signal) return add(function.begin, {0, Cfa::Signal, 0, 0});
  Interpreter interpreter(function.program, *function.common);
  uint64_t at = function.begin;
  while (true) {
    const std::optional<uint64_t> advance = interpreter.run();
    if (advance == uint64_t{0}) continue;  // what follows holds for the same place
    add(at, row_of(interpreter.rules()));
    if (!advance || *advance >= function.end - at) return;
    at += *advance;
  }
}

void EhFrameReader::add(uint64_t address, Row row) {
  row.address = static_cast<uint32_t>(address - section_.base);
  const bool same = !rows_.empty() && rows_.back().cfa == row.cfa && rows_.back().saved_rbp == row.saved_rbp &&
                    rows_.back().offset == row.offset;
  if (!same) rows_.push_back(row);
}

}  // namespace

std::optional<std::vector<Row>> read_eh_frame(const EhFrame &section, size_t limit) {
  return EhFrameReader(section, limit).read();
}

Row row_at(const std::vector<Row> &rows, uint32_t address) {
  const auto after = std::ranges::upper_bound(rows, address, {}, &Row::address);
  return after == rows.begin() ? Row{} : *std::prev(after);
}

}  // namespace awl::runtime::unwind
