// The programs of .eh_frame that say how the caller's registers are found; private to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/unwind/tables.h"

namespace awl::runtime::unwind {

// Numbers of registers in DWARF for x86-64 (System V ABI, AMD64 supplement, figure 3.36).
enum class Register : uint64_t { Rbp = 6, Rsp = 7, Return = 16 };

// Reads forward; what lies beyond the end is 0 and sets `failed`.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] size_t left() const { return bytes_.size(); }
  [[nodiscard]] const char *place() const { return bytes_.data(); }

  template <class T>
  T fixed() {
    T value{};
    const std::string_view from = take(sizeof(T));
    if (from.size() == sizeof(T)) __builtin_memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  uint64_t uleb();
  int64_t sleb();
  std::string_view take(uint64_t size);
  std::string_view text();  // up to a zero byte

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

// How a register, or the CFA, is found.
struct Rule {
  enum class Kind : uint8_t {
    Same,        // the register has the caller's value
    Undefined,   // the caller's value is lost
    AtCfa,       // saved at CFA + offset
    Offset,      // CFA: base + offset
    AtBase,      // saved at base + offset; CFA: the value there
    Plt,         // CFA: that of lazy PLT entries
    Unfollowed,  // any other
  };
  Kind kind = Kind::Same;
  uint8_t base = 0;  // register
  int64_t offset = 0;
};

struct Rules {
  Rule cfa{Rule::Kind::Unfollowed, 0, 0};
  Rule rbp;
  Rule return_address;
};

// Common to several functions: an entry of the section.
struct CommonFrame {
  uint64_t code_unit = 1;
  int64_t data_unit = 1;
  uint8_t pointers = 0;  // DW_EH_PE_*
  bool sized = false;    // functions' entries have a size of augmentation data
  bool signal = false;
  Rules initial;
};

// Runs such a program piece by piece.
class Interpreter {
 public:
  Interpreter(std::string_view program, const CommonFrame &common) : reader_(program), common_(common) {
    rules_ = common.initial;
  }
  // Runs to the next advance of the address and returns by how much, nullopt at the end of the program.
  std::optional<uint64_t> run();
  [[nodiscard]] const Rules &rules() const { return rules_; }

 private:
  std::optional<uint64_t> extended(uint8_t operation);
  void set(uint64_t number, Rule rule);
  void set_offset(uint64_t number, int64_t offset);
  void restore(uint64_t number);
  void set_cfa(uint64_t number, int64_t offset);
  Rule *rule_of(uint64_t number);

  Reader reader_;
  const CommonFrame &common_;
  Rules rules_;
  std::vector<Rules> remembered_;
};

// What the walk can do with the rules.
Row row_of(const Rules &rules);

}  // namespace awl::runtime::unwind
