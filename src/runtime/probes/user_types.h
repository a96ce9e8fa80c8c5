// What providers and the compiler ask about the types of user programs. The answer needs debug information, which only
// the compiler reads: programs that run a written Image do not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/types/type_store.h"

namespace awl {

// A step of finding a place where a program is stopped, on a stack of 64-bit numbers, as DWARF describes it.
struct PlaceStep {
  enum class Op : uint8_t {
    Number,    // pushes `number`
    Register,  // pushes a register, `number` is its offset in pt_regs
    Add,       // the rest takes its operands from the stack
    Sub,
    Mul,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    ShiftRightSigned,
    Negate,
    Not,
    Deref,  // 8 bytes of the program's memory
  };
  Op op = Op::Number;
  uint64_t number = 0;
};

struct VariablePiece;

// Where a variable is at one place of the code.
struct VariablePlace {
  enum class Kind : uint8_t {
    Nowhere,
    Register,  // the steps are that register
    Memory,    // the steps give its address
    Value,     // the steps give the value
    Pieces,    // what stands in several registers or places: a struct that is passed by value
  };
  Kind kind = Kind::Nowhere;
  std::vector<PlaceStep> steps;
  std::vector<VariablePiece> pieces;  // of Pieces: one behind the other from the variable's first byte on
  // Relative to a register that points into the frame only when the function has set it up.
  bool in_frame = false;
  std::string reason;    // Nowhere: why, a clause
  std::string readable;  // Nowhere: where it can be read, "lines 11 to 13 and 20"; "" if at no line of the function
};

struct VariablePiece {
  uint32_t size = 0;    // bytes: 1, 2, 4, 8, or any number in memory
  VariablePlace place;  // Register, Memory or Value
};

struct UserVariable {
  std::string name;
  const Type *type = nullptr;
  std::string text;  // as C writes it: "const char *path"
  VariablePlace place;
};

// General registers that carry a parameter, by their number among those that carry arguments: `count` (up to 2) from
// `first` on; 0: it is elsewhere (floating point, on the stack), or the convention does not say.
struct ArgumentRegisters {
  int first = 0;
  int count = 0;
  bool by_address = false;  // the register holds the address of the value
};

// A function as its debug information has it. Types of parameters are those of the language.
struct UserFunction {
  std::vector<std::pair<std::string, const Type *>> params;
  std::vector<std::string> texts;  // of the parameters as C writes them: "const char *path"
  const Type *result = nullptr;    // Void if it gives nothing
  std::string result_text;         // "int"
  // Where the calling convention has a result that is no number in the general register for results.
  enum class ResultPlace : uint8_t {
    Register,       // there it is, or its first part (a struct of up to two registers)
    Address,        // in memory, its address in the register
    FloatRegister,  // in registers for floating point numbers alone
    Unknown,        // the language keeps to no convention
  };
  ResultPlace result_place = ResultPlace::Register;
  // Where the calling convention has each parameter when the function is entered.
  std::vector<ArgumentRegisters> registers;
  // The same as the debug information has it, for the function's first instruction. Without optimisation it tells of
  // frames that are not set up yet; with it, it is right also where the compiler has changed how the function is
  // called.
  std::vector<VariablePlace> places;
  bool is_local = false;  // only its own unit calls it, so that the compiler may call it otherwise
};

// An address where the code of a line of source begins, and the function that it is in.
struct SourcePlace {
  uint64_t address = 0;
  std::string function;
};

class UserTypes {
 public:
  virtual ~UserTypes() = default;
  // Nullopt if `binary` has no debug information about the function that begins at `address`.
  virtual Result<std::optional<UserFunction>> function(TypeStore &store, const std::string &binary,
                                                       uint64_t address) = 0;
  // Parameters and local variables in scope at `address`, of several with one name the innermost; nothing without debug
  // information about it.
  virtual Result<std::vector<UserVariable>> variables(TypeStore &store, const std::string &binary,
                                                      uint64_t address) = 0;
  // "struct point", "enum color", "size_t" as `binary` defines it.
  virtual Result<std::optional<const Type *>> find(TypeStore &store, const std::string &binary,
                                                   std::string_view name) = 0;
  // Where the code of line `line` of `file` begins ("a/b.c" means every file whose path ends so), once for each
  // function and each inlined copy of it, by address. `column` 0: any. Errors say what is missing.
  virtual Result<std::vector<SourcePlace>> line(const std::string &binary, std::string_view file, uint64_t line,
                                                uint64_t column) = 0;
};

}  // namespace awl
