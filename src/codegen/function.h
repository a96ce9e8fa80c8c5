// FunctionEmitter turns a typed::Program into a BPF program, and bodies of loops in it into functions that the kernel
// calls. Its members are grouped by subject, each
// group in the file named beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ast/typed/typed.h"
#include "codegen/code.h"
#include "codegen/frame.h"
#include "codegen/locals.h"
#include "codegen/object.h"

namespace awl::codegen {

// selection.cpp
Val param(Code &code, Object &object, ParamWord word);
Val pid_tgid(Code &code, Object &object, Frame &frame);  // as awl's pid namespace numbers them

class FunctionEmitter {
 public:
  FunctionEmitter(Object &object, const typed::Program &program);
  void emit();
  // Functions that it calls must have been emitted.
  FunctionEmitter(Object &object, const typed::Function &function);
  void emit_function();

 private:
  // --- function.cpp: the frame of the program and its steps
  void start();
  void select_process();  // selection.cpp
  void make_locals(const typed::Steps &body);
  void steps(const typed::Steps &list);
  void step(const typed::Step &step);
  void step_of(const typed::LocalSet &step);
  void step_of(const typed::Stop &step);
  void step_of(const typed::Branch &step);
  void step_of(const typed::Loop &step);
  Mem state_word(uint32_t word);
  void check_object();

  // --- loops.cpp: bodies of `for` as functions of their own
  FunctionEmitter(FunctionEmitter &outer, const typed::Step &loop);
  void emit_loop_body();
  void make_record();
  void fill_record();
  Mem record_word(uint32_t word);
  Mem record_local(uint32_t word);
  Val context();
  void step_of(const typed::ForRange &step);
  void step_of(const typed::ForMap &step);
  void leave_after(const typed::Step &loop);
  void step_of(const typed::Leave &step);
  Val scalar_of(const typed::LoopIndex &value);
  Val scalar_of(const typed::LoopValue &value);
  Mem loop_key();
  void check_height();

  // --- calls.cpp: functions of the script
  void lay_out(Subprogram &made);
  void take_params(const Subprogram &made);
  Val call(const typed::Call &value, Mem *result);
  Val scalar_of(const typed::CCall &value);
  Val c_argument(const typed::Value &value, const Type *param);
  Val as_number(Val pointer);
  Val scalar_of(const typed::LocalAddress &value);
  Val scalar_of(const typed::MapAddress &value);

  // --- values.cpp: a value as a scalar, as a condition, as memory
  Val function_result();
  Val scalar(const typed::Value &value);
  Val condition(const typed::Value &value);  // i1
  void branch_on(const typed::Value &value, Block then, Block otherwise);
  Mem memory(const typed::Value &value);                        // where the value is; not to be written to
  void into(const typed::Value &value, Mem to);                 // writes a memory value: all its bytes
  void put(const typed::Value &value, Mem to, uint32_t bytes);  // scalar or memory
  void into_bytes(const typed::Bytes &value, Mem to);
  void into_compose(const typed::Compose &value, Mem to);
  void into_select(const typed::Select &value, Mem to);
  Val scalar_of(const typed::LocalGet &value);
  Val scalar_of(const typed::LocalAdd &value);
  Val scalar_of(const typed::CtxLoad &value);
  Val scalar_of(const typed::Param &value);
  Val scalar_of(const typed::HelperCall &value);
  Val scalar_of(const typed::Select &value);
  Val scalar_of(const typed::Sequence &value);
  Val widen(Val value, const Type *type);  // after an operation narrower than 64 bits

  // --- arithmetic.cpp
  Val scalar_of(const typed::UnaryOp &value);
  Val scalar_of(const typed::BinaryOp &value);
  Val scalar_of(const typed::Convert &value);
  Val operation(const typed::BinaryOp &value);
  Val divide(bool modulo, bool is_signed, Val a, Val b, uint32_t place = typed::kNoPlace);
  void count_error(uint32_t place);
  std::optional<Val> comparison(const typed::BinaryOp &value);

  // --- reads.cpp: memory behind addresses, fields of structs
  Val scalar_of(const typed::CtxField &value);
  Val scalar_of(const typed::Load &value);
  Val scalar_of(const typed::FieldAddress &value);
  Val scalar_of(const typed::FieldLoad &value);
  void into_load(const typed::Load &value, Mem to);
  void into_field(const typed::FieldLoad &value, Mem to);
  Val read_scalar(typed::Space space, Mem from, const Type *type);
  void read_memory(typed::Space space, Mem from, const Type *type, Mem to);
  // Counts a helper's failure at this place, with -k.
  void note_failure(uint32_t helper, Val result);
  // Counts failures of reading text, and notes that it was read once.
  void note_text(uint32_t helper, Val result, Val address);
  std::optional<uint32_t> helper_site_word(uint32_t helper);
  Val probe_read(typed::Space space, Mem to, Val bytes, Val address);
  Val read_bitfield(typed::Space space, Mem base, const FieldRef &field, const Type *type);
  Mem relocated(Mem base, const FieldRef &field);

  // --- strings.cpp
  // Without `clear_rest` what is behind the end may be left as it was: for memory that nobody compares.
  void into_string(const typed::ReadString &value, Mem to, bool clear_rest = true);
  void into_buffer(const typed::ReadBuffer &value, Mem to, bool clear_rest = true);
  Val at_most(const typed::Value &value, uint32_t limit);
  void into_comm(Mem to);
  Val comm_word(uint32_t index);

  // --- compare.cpp
  Val scalar_of(const typed::Compare &value);
  Val compare_with_constant(const typed::Value &value, const typed::Bytes &bytes, uint32_t count, bool stop_at_nul);
  Val compare_memory(Mem a, Mem b, uint32_t count, bool stop_at_nul);
  void compare_piece(Mem a, Mem b, uint32_t width, bool stop_at_nul, Block same, Block differ);

  Val scalar_of(const typed::Order &value);

  // --- search.cpp: inside strings
  Val scalar_of(const typed::StringLength &value);
  Val string_length(Mem string, uint32_t capacity);
  Val scalar_of(const typed::Match &value);
  Val scalar_of(const typed::Search &value);
  struct Prefixes;
  Mem maskable(const typed::Value &string, uint64_t &mask);
  void walk_text(const Prefixes &wanted, Mem text, uint64_t mask, bool measure);
  void into_concat(const typed::Concat &value, Mem to);
  Mem table_row(const typed::TableRow &value);

  // --- maps.cpp: plain maps
  Mem map_key(uint32_t map, const typed::Value *key);
  // The map that programs use now, where there are two of it (MapInfo::twin): asked for once in an operation.
  struct ActiveMap {
    uint32_t index;
    Val on_twin;  // i1; null if there is no twin
  };
  ActiveMap active_map(uint32_t map);
  Val address_of(ActiveMap map);
  Mem lookup(ActiveMap map, Mem key);
  void count_map_error(uint32_t map, Val failed);
  Val scalar_of(const typed::MapGet &value);
  void into_map_get(const typed::MapGet &value, Mem to);
  Val scalar_of(const typed::MapHas &value);
  Val scalar_of(const typed::MapRemove &value);
  Val scalar_of(const typed::MapFind &value);
  Val scalar_of(const typed::MapAddGet &value);
  void step_of(const typed::MapSet &step);
  void step_of(const typed::MapAdd &step);
  Val map_add(uint32_t map, const typed::Value *key, Val delta, bool want_old);
  Val add_in_place(Mem at, Val delta, uint32_t bytes, bool want_old);

  // --- aggregates.cpp: count() sum() hist() ... per CPU, and reading them over all CPUs
  void step_of(const typed::AggregateUpdate &step);
  void update_aggregate(const Type *aggregate, Mem at, Val argument);
  void keep_extreme(bool is_min, bool is_signed, Mem at, Val argument);
  struct Interval {
    Val now;    // wall clock, nanoseconds
    Val epoch;  // by the length of an interval
  };
  Interval interval_now(const Type *series);
  void update_series(const Type *aggregate, Mem at, Val argument, Interval interval);
  void with_entry(ActiveMap map, Mem key, const std::function<void(Mem)> &use);
  void update_part(ActiveMap parts, const MapInfo &series, Mem key, Val argument);
  Val scalar_of(const typed::AggregateGet &value);
  Val merge_cpus(const Type *aggregate, Val address, Mem key);
  Val clear_aggregate(uint32_t map, Mem key, Frame::Mark mark);
  Mem zero_value(uint32_t bytes);
  // Opens a loop over the values of all CPUs, in whose body the next instructions are; they end with a jump to `latch`.
  void for_each_cpu(Val map, Mem key, Block &latch, Block end, Val &cpu, Mem &element);
  Val hist_index(Val value, uint32_t bits);
  Val lhist_index(Val value, const Type *aggregate);

  // --- events.cpp
  void step_of(const typed::Emit &step);
  Mem snapshot(const typed::Value &value);  // memory that later steps do not change
  void put_argument(const typed::Value &value, Mem to, uint32_t bytes);
  void submit(Mem record);

  // --- iterators.cpp: the text of an iterator
  Val seq_file();
  void mark_object();
  void step_of(const typed::SeqPrint &step);
  void step_of(const typed::SeqString &step);

  // --- intrinsics/
  void into_path(const typed::PathText &value, Mem to);  // paths.cpp
  Val scalar_of(const typed::UsdtArgument &value);       // usdt.cpp
  Mem usdt_spec();
  void add_index(Mem arg, Mem result);
  void into_stack(const typed::StackTrace &value, Mem to);  // stacks.cpp
  Val scalar_of(const typed::Unwind &value);
  [[nodiscard]] uint64_t tracing_frames() const;

  // What a routine and the bodies of its loops have in common.
  struct Shared {
    const typed::Routine &routine;
    const typed::Function *function;  // null in a program
    LocalPlan plan;
    std::vector<uint32_t> scratch;  // by local with Home::Scratch: its place in the scratch memory
    uint32_t left = 0;              // likewise the word that says that a loop's body left the routine
  };
  struct Variable {
    const Type *type;
    Mem memory;
  };
  struct LoopBlocks {
    Block next, end;
  };
  Object &object_;
  std::unique_ptr<Shared> own_;  // of the routine itself
  Shared &shared_;
  const typed::Program *program_ = nullptr;
  const typed::Step *loop_ = nullptr;  // whose body this is
  uint32_t height_ = 1;                // of the chain of calls from here
  llvm::Function *function_;
  Code code_;
  Frame frame_;
  Mem record_;
  std::vector<Variable> locals_;
  std::vector<LoopBlocks> loops_;
  std::vector<std::pair<uint32_t, Val>> present_;  // by offset in the context
  Block set_up_ = nullptr;                         // scratch memory, filled in at the end
  Block exit_ = nullptr;                           // gives back what set_up took; in the body of a loop: ends the turn
  Block quit_ = nullptr;  // returns 0; in the body of a loop: ends the loop; in a function: leaves the probe
};

}  // namespace awl::codegen
