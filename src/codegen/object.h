// The object under construction: the LLVM module with its debug information (which becomes BTF), the maps
// and the shared memory of all programs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ast/typed/typed.h"
#include "base/diagnostic.h"
#include "base/source.h"
#include "codegen/code.h"
#include "runtime/image/manifest.h"

namespace llvm {
class DILocation;
class Function;
class FunctionType;
class LLVMContext;
class Module;
class TargetMachine;
}  // namespace llvm

namespace awl::codegen {

class CoreRelocations;

// A function of the script: f(arguments, scratch memory, context), all addresses. The arguments are a block of memory
// of the caller: a word that says that the whole probe is to be left, the parameters, room for what it gives unless
// that is a scalar, which is returned.
struct Subprogram {
  llvm::Function *function = nullptr;
  std::vector<uint32_t> params;  // offsets in the block
  uint32_t result = 0;           // likewise
  uint32_t bytes = 8;            // of the block
  uint32_t scratch_bytes = 0;
  uint32_t height = 1;  // of the chain of calls from it
  bool leaves = false;  // may ask to leave the probe
};

// A BPF map as the object describes it.
struct MapShape {
  uint32_t type = 0;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t max_entries = 0;
  uint32_t flags = 0;
};

// Who is meant: see SelectBits.
enum class SelectMap : uint8_t { Pids, Comms, Cgroups };

class Object {
 public:
  Object(llvm::TargetMachine &machine, const Manifest &manifest, const Source &source, Diagnostics &diagnostics);
  ~Object();
  Object(const Object &) = delete;
  Object &operator=(const Object &) = delete;

  [[nodiscard]] const Manifest &manifest() const { return manifest_; }
  [[nodiscard]] const MapInfo &map_info(uint32_t index) const { return manifest_.maps[index]; }
  [[nodiscard]] Diagnostics &diagnostics() { return diagnostics_; }
  [[nodiscard]] CoreRelocations &core() { return *core_; }
  [[nodiscard]] llvm::Module &module();

  // An empty program with its section, its debug information, and its entry block.
  llvm::Function *add_program(const typed::Program &program);
  // Likewise a function that the kernel calls for each turn of a loop: (key of the turn..., frame record).
  llvm::Function *add_loop_body(const std::string &routine, Span span, bool over_map);
  llvm::Function *add_function(const std::string &name, Span span);
  llvm::Function *add_selection();
  // awl_meant(SelectBits that the program may ask for), made when first asked for (selection.cpp).
  llvm::Function *selection();
  std::vector<Subprogram> &functions() { return functions_; }
  // Functions in C, declared: they are linked in later.
  void declare_c_functions(const std::vector<typed::CFunction> &functions);
  struct CFunction {
    llvm::Function *function;
    const typed::CFunction *types;
  };
  [[nodiscard]] const CFunction &c_function(uint32_t index) const { return c_functions_[index]; }
  // Place in the script as seen from a function.
  llvm::DILocation *location(llvm::Function *function, Span span);

  // Addresses of maps, made when first asked for.
  Val map(uint32_t index);
  Val ring_buffer();
  Val usdt_specs();
  Val select_map(SelectMap which);
  Val scratch();
  // Memory that every program needs for its temporaries, and how many elements it takes. Gives the first of them.
  uint32_t reserve_scratch(uint32_t bytes, uint32_t elements, Span program);

  Val state();   // awl_state
  Val params();  // awl_params
  // Constant bytes in the object, aligned to 8; `size` zero bytes.
  Val constant_bytes(std::string_view bytes, uint32_t size);
  Val constant_zero(uint32_t size);

  // Completes what was left open: relocated structs, sizes of internal maps.
  void finish();
  // Where a diagnostic about the function of this name belongs.
  [[nodiscard]] Span program_span(std::string_view function) const;

 private:
  struct Parts;
  llvm::Function *add_internal(const std::string &name, Span span, llvm::FunctionType *type);
  Val add_map(std::string_view name, const MapShape &shape);
  Val constant_data(const char *name, std::string bytes);
  MapShape shape_of(const MapInfo &info) const;

  const Manifest &manifest_;
  const Source &source_;
  Diagnostics &diagnostics_;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<CoreRelocations> core_;
  std::map<std::string, Val> bytes_;  // constants by what they hold
  std::vector<Val> maps_;
  std::vector<Subprogram> functions_;  // as in typed::Module
  std::vector<CFunction> c_functions_;
  Val ring_buffer_ = nullptr, usdt_ = nullptr, scratch_ = nullptr, zero_ = nullptr;
  std::array<Val, 3> select_{};  // by SelectMap
  llvm::Function *selection_ = nullptr;
  uint32_t zero_size_ = 0, scratch_size_ = 0, scratch_elements_ = 0;
  std::vector<std::pair<std::string, Span>> programs_;
};

}  // namespace awl::codegen
