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

// A function as its debug information has it. Types of parameters are those of the language.
struct UserFunction {
  std::vector<std::pair<std::string, const Type *>> params;
  std::vector<std::string> texts;  // of the parameters as C writes them: "const char *path"
  const Type *result = nullptr;    // Void if it gives nothing
  std::string result_text;         // "int"
  // Where each parameter is when the function is entered: the number of the general register among those that carry
  // arguments; -1: elsewhere (floating point, on the stack).
  std::vector<int> registers;
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
  // "struct point", "enum color", "size_t" as `binary` defines it.
  virtual Result<std::optional<const Type *>> find(TypeStore &store, const std::string &binary,
                                                   std::string_view name) = 0;
  // Where the code of line `line` of `file` begins ("a/b.c" means every file whose path ends so), once for each
  // function and each inlined copy of it, by address. `column` 0: any. Errors say what is missing.
  virtual Result<std::vector<SourcePlace>> line(const std::string &binary, std::string_view file, uint64_t line,
                                                uint64_t column) = 0;
};

}  // namespace awl
