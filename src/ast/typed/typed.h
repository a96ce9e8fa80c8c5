// The typed IR: what a script means, with every type, conversion, address space and layout decided.
// Lowering makes it from the tree; codegen turns it into BPF and decides nothing but instructions.
//
// A Value has a Type and is either scalar (Type::is_scalar: computed as a 64-bit integer, extended by
// its type) or bytes in memory (everything else: strings, tuples, buffers, structs, stacks: exactly
// Type::size bytes, unused bytes zero, so that memory can be compared and used as a map key).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ast/pattern/pattern.h"
#include "base/source.h"
#include "runtime/image/manifest.h"
#include "runtime/probes/provider.h"
#include "runtime/types/type_store.h"

namespace awl::typed {

enum class Kind : uint8_t {
#define VALUE(name) name,
#define ACTION(name) name,
#include "ast/typed/nodes.def"
#undef VALUE
#undef ACTION
};

struct Value {
  Kind kind;
  const Type *type;
  Span span;
  Value(Kind k, const Type *t, Span s) : kind(k), type(t), span(s) {}
  virtual ~Value() = default;
};
using ValuePtr = std::unique_ptr<Value>;
using Values = std::vector<ValuePtr>;

struct Step {
  Kind kind;
  Span span;
  Step(Kind k, Span s) : kind(k), span(s) {}
  virtual ~Step() = default;
};
using StepPtr = std::unique_ptr<Step>;
using Steps = std::vector<StepPtr>;

// How memory behind an address is read.
enum class Space : uint8_t {
  Kernel,   // bpf_probe_read_kernel; unreadable memory gives zeros
  User,     // bpf_probe_read_user
  Any,      // kernel or user, told apart by the address: bpf_probe_read (4), bpf_probe_read_str (45)
  Trusted,  // the verifier knows the pointer's BTF type: plain load
  Context,  // the program's context: plain load at a constant offset
};

// The helper (enum bpf_func_id) that reads memory, or a string, of a space.
uint32_t read_helper(Space space);
uint32_t read_string_helper(Space space);

enum class Op : uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  And,
  Or,
  Xor,
  ShiftLeft,
  ShiftRight,  // Div and Mod by zero give 0 (BPF semantics: Mod gives the dividend)
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,  // give 0 or 1
};

// --- Values ----------------------------------------------------------------------------------------

#define TYPED_VALUE(name) \
  name(const Type *t, Span s) : Value(Kind::name, t, s) {}

struct Const : Value {  // scalar constant
  TYPED_VALUE(Const)
  uint64_t value = 0;
};
struct Bytes : Value {  // memory constant; zero-padded to type->size
  TYPED_VALUE(Bytes)
  std::string data;
};
struct LocalGet : Value {
  TYPED_VALUE(LocalGet)
  uint32_t local = 0;
};
struct LocalAdd : Value {  // ++ and -- on a scalar local
  TYPED_VALUE(LocalAdd)
  uint32_t local = 0;
  int64_t delta = 1;
  bool give_old = true;  // postfix
};
struct CtxPointer : Value {  // address of the context, as an integer for arithmetic and helpers
  TYPED_VALUE(CtxPointer)
};
struct CtxLoad : Value {  // type->size bytes at a fixed offset of the context (pt_regs)
  TYPED_VALUE(CtxLoad)
  uint32_t offset = 0;
};
struct CtxField : Value {  // scalar member of the record that is the context; relocated
  TYPED_VALUE(CtxField)
  FieldRef field;  // data_loc: the raw uint32
};
struct Param : Value {  // word of awl_params
  TYPED_VALUE(Param)
  ParamWord word = kParamPid;
};
struct HelperCall : Value {  // scalar arguments, 64-bit result
  TYPED_VALUE(HelperCall)
  int helper = 0;  // enum bpf_func_id
  Values args;
};
enum class Unary : uint8_t { Negate, BitNot, Not };
constexpr uint32_t kNoPlace = ~0U;

struct UnaryOp : Value {
  TYPED_VALUE(UnaryOp)
  Unary op = Unary::Negate;
  ValuePtr operand;
};
struct BinaryOp : Value {  // 64-bit arithmetic and comparison of scalars
  TYPED_VALUE(BinaryOp)
  Op op = Op::Add;
  bool is_signed = true;      // of Div, Mod, ShiftRight and the ordering comparisons
  uint32_t place = kNoPlace;  // Div and Mod: in Manifest::places, where a zero divisor is counted
  ValuePtr left, right;
};
struct LogicalOp : Value {  // && and ||, short-circuit; 0 or 1
  TYPED_VALUE(LogicalOp)
  bool is_and = true;
  ValuePtr left, right;
};
struct Select : Value {  // c ? a : b; scalar or memory, only the chosen side is evaluated
  TYPED_VALUE(Select)
  ValuePtr condition, then, otherwise;
};
struct Convert : Value {  // scalar cut to type->size bytes, then extended by the type's sign; Bool: != 0
  TYPED_VALUE(Convert)
  ValuePtr operand;
};
struct Load : Value {  // type->size bytes at an address; scalar or memory
  TYPED_VALUE(Load)
  Space space = Space::Kernel;
  ValuePtr address;
};
struct FieldAddress : Value {  // base + offset of a field, relocated if field.relocated()
  TYPED_VALUE(FieldAddress)
  ValuePtr base;
  FieldRef field;
};
struct FieldLoad : Value {  // a field behind a pointer; bitfields too; scalar or memory
  TYPED_VALUE(FieldLoad)
  Space space = Space::Kernel;
  ValuePtr base;
  FieldRef field;
};
struct Compare : Value {  // first `count` bytes of two memory values; 0 if equal, else 1
  TYPED_VALUE(Compare)
  uint32_t count = 0;
  bool stop_at_nul = false;  // as strings: bytes behind a common NUL do not count
  ValuePtr left, right;
};
struct Order : Value {  // first `count` bytes of two memory values as memcmp() orders them: -1, 0 or 1
  TYPED_VALUE(Order)
  uint32_t count = 0;
  ValuePtr left, right;
};
struct MapGet : Value {  // value of a plain map, zeros if there is none; scalar or memory
  TYPED_VALUE(MapGet)
  uint32_t map = 0;
  ValuePtr key;  // null: scalar map. Type is the map's key type
};
struct MapHas : Value {
  TYPED_VALUE(MapHas)
  uint32_t map = 0;
  ValuePtr key;
};
struct MapRemove : Value {  // deletes; 1 if there was an entry. Scalar map: marks unset
  TYPED_VALUE(MapRemove)
  uint32_t map = 0;
  ValuePtr key;
};
struct MapFind : Value {  // puts the value into a local if there is an entry; 1 if there was
  TYPED_VALUE(MapFind)
  uint32_t map = 0;
  uint32_t local = 0;  // of the map's value type
  ValuePtr key;
};
struct MapAddGet : Value {  // ++ and -- on a plain integer map, as a value
  TYPED_VALUE(MapAddGet)
  uint32_t map = 0;
  ValuePtr key;
  int64_t delta = 1;
  bool give_old = true;
};
struct AggregateGet : Value {  // count, sum, min, max, avg over all CPUs
  TYPED_VALUE(AggregateGet)
  uint32_t map = 0;
  ValuePtr key;
};
struct UsdtArgument : Value {
  TYPED_VALUE(UsdtArgument)
  uint32_t index = 0;
};
struct Compose : Value {  // memory made of parts: tuples, inet, usym...; the rest is zero
  TYPED_VALUE(Compose)
  std::vector<std::pair<uint32_t, ValuePtr>> parts;  // offset, value; a scalar is stored with its type's size
};
struct Part : Value {  // type->size bytes at an offset of a memory value; scalar or memory
  TYPED_VALUE(Part)
  ValuePtr operand;
  uint32_t offset = 0;
};
struct MemoryAddress : Value {  // where a memory value stands: for the helper that it is an argument of
  TYPED_VALUE(MemoryAddress)
  ValuePtr operand;
};
struct TableRow : Value {  // type->size bytes of constant data, by number; behind the last row: the last
  TYPED_VALUE(TableRow)
  std::string rows;
  ValuePtr index;
};
struct ReadString : Value {  // NUL-terminated string at an address; type is string[N]; unreadable: ""
  TYPED_VALUE(ReadString)
  Space space = Space::Kernel;
  ValuePtr address;
  ValuePtr limit;  // at most this many bytes, NUL included; null: type->size
};
struct ReadBuffer : Value {  // {length, data}; type is buffer[N]
  TYPED_VALUE(ReadBuffer)
  Space space = Space::Kernel;
  ValuePtr address;
  ValuePtr length;  // cut to type->count
};
struct StackTrace : Value {  // {id, pid}; type is a stack
  TYPED_VALUE(StackTrace)
  uint32_t map = 0;  // MapRole::Stack
  ValuePtr unwound;  // Unwind that keeps it; null: the kernel follows frame pointers
};
struct Unwind : Value {  // the user stack over the unwinder's tables: see runtime/unwind/walk.h for the result
  TYPED_VALUE(Unwind)
  uint32_t function = 0;  // of Module::c_functions
  uint32_t frames = 0;    // at most
  bool keep = false;
};
struct Comm : Value {  // string[16] of the current task
  TYPED_VALUE(Comm)
};
struct StringLength : Value {  // bytes before the NUL
  TYPED_VALUE(StringLength)
  ValuePtr operand;
};
struct Match : Value {  // 1 if the pattern matches the string, else 0
  TYPED_VALUE(Match)
  std::shared_ptr<const pattern::Automaton> automaton;
  uint32_t found_bytes = 0;  // not 0: gives where the match of so many bytes begins, -1 if there is none
  ValuePtr operand;
};
struct Search : Value {  // where a string begins in another one, -1 if it is not in it
  TYPED_VALUE(Search)
  static constexpr uint32_t kMostBytes = 4096;  // of each, so that the verifier can follow the search
  ValuePtr text, wanted;
};
struct Concat : Value {  // two strings, cut to the type's size
  TYPED_VALUE(Concat)
  ValuePtr left, right;
};
// What is read of the kernel's structs on the way from a file to the root.
enum PathField : uint8_t {
  kPathDentry,
  kPathMount,
  kDentryParent,
  kDentryLength,
  kDentryName,
  kMountRoot,
  kMountSelf,  // the vfsmount in a mount
  kMountParent,
  kMountPoint,
  kDentrySuper,  // of what hangs in no tree its kind of file system is shown
  kSuperType,
  kTypeName,
  kPathFields
};
struct PathText
    : Value {  // name of a file with all folders above it, as the current process sees it; "" if there is none
  TYPED_VALUE(PathText)
  std::vector<FieldRef> fields;  // by PathField
  ValuePtr path, root;           // addresses of struct path
};
struct Sequence : Value {  // steps, then the value
  TYPED_VALUE(Sequence)
  Steps steps;
  ValuePtr value;
};
struct Call : Value {  // of Module::functions; type Void if it gives nothing
  TYPED_VALUE(Call)
  uint32_t function = 0;
  Values args;  // as many as it has parameters, of their types
};
struct CCall : Value {  // of Module::c_functions; type Void if it gives nothing
  TYPED_VALUE(CCall)
  uint32_t function = 0;
  Values args;  // addresses in memory of the program go as pointers that the verifier can follow
};
struct LocalAddress : Value {  // of the local's memory, in the kernel; a scalar has 8 bytes there
  TYPED_VALUE(LocalAddress)
  uint32_t local = 0;
};
struct MapAddress : Value {  // of the value of an entry of a plain map, 0 if there is none
  TYPED_VALUE(MapAddress)
  uint32_t map = 0;
  ValuePtr key;            // null: scalar map
  bool of_object = false;  // address of the map itself, its struct bpf_map
};
// What a loop gives to the turn at hand; only directly in its body, not in a loop inside of it.
struct LoopIndex : Value {  // ForRange: 0, 1, ...
  TYPED_VALUE(LoopIndex)
};
struct LoopKey : Value {  // ForMap: key of the entry
  TYPED_VALUE(LoopKey)
};
struct LoopValue : Value {  // ForMap: value of the entry; of an aggregate what AggregateGet gives
  TYPED_VALUE(LoopValue)
};
#undef TYPED_VALUE

// --- Steps -----------------------------------------------------------------------------------------

#define TYPED_STEP(name) \
  explicit name(Span s) : Step(Kind::name, s) {}

struct Evaluate : Step {  // for its effects
  TYPED_STEP(Evaluate)
  ValuePtr value;
};
struct LocalSet : Step {
  TYPED_STEP(LocalSet)
  uint32_t local = 0;
  ValuePtr value;
};
struct MapSet : Step {  // insert or overwrite
  TYPED_STEP(MapSet)
  uint32_t map = 0;
  ValuePtr key;  // null: scalar map
  ValuePtr value;
};
struct MapAdd : Step {  // atomic += on a plain integer map, inserting if missing
  TYPED_STEP(MapAdd)
  uint32_t map = 0;
  ValuePtr key;
  ValuePtr delta;
};
struct AggregateUpdate : Step {  // count() sum(x) ...: kind and parameters from the map's value type
  TYPED_STEP(AggregateUpdate)
  uint32_t map = 0;
  ValuePtr key;
  ValuePtr argument;  // null for count()
};
struct Emit : Step {  // one record: args into the slots of manifest.actions[action]
  TYPED_STEP(Emit)
  uint32_t action = 0;
  Values args;
};
// Text for who reads a pinned iterator.
struct SeqPrint : Step {  // bpf_seq_printf: `format` in the kernel's language; without args it is text as it is
  TYPED_STEP(SeqPrint)
  static constexpr size_t kMostArgs = 12;      // MAX_BPRINTF_VARARGS
  static constexpr uint32_t kMostBytes = 128;  // of a string among them (Linux 5.8; later 512)
  std::string format;
  Values args;  // scalars, and strings of at most kMostBytes
};
struct SeqString : Step {  // bpf_seq_write: a string of any length
  TYPED_STEP(SeqString)
  ValuePtr value;
  std::string trailer;  // behind one that was cut
};
struct Stop : Step {  // all programs but END stop at once: sets kStateRun
  TYPED_STEP(Stop)
};
struct Branch : Step {
  TYPED_STEP(Branch)
  ValuePtr condition;
  Steps then, otherwise;
};
struct Loop : Step {  // while (condition) body; the verifier must see that it ends
  TYPED_STEP(Loop)
  ValuePtr condition;
  Steps body;
};
struct ForMap : Step {  // body for each entry of a map with keys, in no order
  TYPED_STEP(ForMap)
  uint32_t map = 0;
  Steps body;
};
struct ForRange : Step {  // body `turns` times; none if there are more than kMaxTurns
  TYPED_STEP(ForRange)
  static constexpr uint64_t kMaxTurns = 1 << 23;  // of bpf_loop
  ValuePtr turns;                                 // uint64
  uint32_t place = kNoPlace;  // in Manifest::places: too many turns; if they are constant, all of them made
  Steps body;
};
// Return leaves the routine, Probe the program also from a function.
enum class LeaveKind : uint8_t { Break, Continue, Return, Probe };
struct Leave : Step {
  TYPED_STEP(Leave)
  LeaveKind what = LeaveKind::Return;
};
struct Group : Step {  // steps in sequence
  TYPED_STEP(Group)
  Steps steps;
};
#undef TYPED_STEP

// --- Programs --------------------------------------------------------------------------------------

struct Local {
  std::string name;
  const Type *type = nullptr;
  bool trusted = false;  // a pointer that is read in Space::Trusted: the verifier must be able to follow it
};

// Code with locals of its own.
struct Routine {
  std::string name;           // symbol in the object: [A-Za-z0-9_]+
  std::vector<Local> locals;  // all start as zero
  Steps body;
  Span span;
};

struct Program : Routine {
  ProgType prog_type = ProgType::RawTracepoint;
  bool filter_pid = false;   // return at once unless kParamPid is 0 or this process
  bool selects = false;      // return at once unless the process passes the tests of kParamSelect
  bool always_runs = false;  // begin, end, test, ...: does not look at kStateRun
  bool pinned = false;       // an iterator that is run by whoever reads a file, awl has ended by then
  bool preemptible = false;  // two instances may run interleaved on one CPU (user probes)
  // Offsets of pointers in the context that may be null: there is no object then (iter), and the program does nothing.
  std::vector<uint32_t> nullable;
};

// A function of the script, called by programs of any type.
struct Function : Routine {
  uint32_t params = 0;           // its first locals
  const Type *result = nullptr;  // null: gives nothing
  uint32_t result_local = 0;     // holds what it gives when it returns
};

// A function of a C file, which is linked in.
struct CFunction {
  std::string name;
  std::vector<const Type *> params;
  const Type *result = nullptr;  // kind Void: gives nothing
};

struct Module {
  std::vector<Function> functions;  // a function stands behind those that it calls
  std::vector<CFunction> c_functions;
  std::vector<Program> programs;
  bool uses_usdt = false;
};

// Readable form, one node a line, for `-d typed` and golden tests.
std::string dump(const Module &module, const Manifest &manifest);

}  // namespace awl::typed
