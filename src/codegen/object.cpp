#include "codegen/object.h"

#include <linux/bpf.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>

#include "codegen/core_relocation.h"
#include "codegen/debug_info.h"

namespace awl::codegen {

namespace {

constexpr uint32_t kMapNumbers = 5;                // type, key_size, value_size, max_entries, map_flags
constexpr const char *kConstants = ".rodata.awl";  // apart from .rodata, which holds awl_params alone

const char *section_of(ProgType type) {
  switch (type) {
    case ProgType::RawTracepoint: return "raw_tp";
    case ProgType::Tracepoint: return "tp";
    case ProgType::Kprobe: return "kprobe";
    case ProgType::PerfEvent: return "perf_event";
    case ProgType::Fentry: return "fentry";
    case ProgType::Fexit: return "fexit";
    case ProgType::Iter: return "iter";
  }
  return "raw_tp";
}

}  // namespace

struct Object::Parts {
  llvm::LLVMContext context;
  llvm::Module module{"awl", context};
  std::unique_ptr<DebugInfo> debug;
  llvm::GlobalVariable *state = nullptr, *params = nullptr;

  llvm::GlobalVariable *global(llvm::Type *type, bool constant, llvm::Constant *init, llvm::StringRef name,
                               llvm::StringRef section) {
    // External: libbpf refuses static maps, and memory that is static cannot be mapped by the runtime.
    auto *variable = new llvm::GlobalVariable(module, type, constant, llvm::GlobalValue::ExternalLinkage, init, name);
    variable->setDSOLocal(true);
    variable->setAlignment(llvm::Align(8));
    if (!section.empty()) variable->setSection(section);
    return variable;
  }

  llvm::GlobalVariable *words(llvm::StringRef name, uint32_t count, bool constant) {
    auto *type = llvm::ArrayType::get(llvm::Type::getInt64Ty(context), count);
    auto *variable = global(type, constant, llvm::Constant::getNullValue(type), name, constant ? ".rodata" : "");
    debug->describe(variable, debug->array(debug->integer(8, false), 8, count));
    return variable;
  }
};

Object::Object(llvm::TargetMachine &machine, const Manifest &manifest, const Source &source, Diagnostics &diagnostics)
    : manifest_(manifest), source_(source), diagnostics_(diagnostics), parts_(std::make_unique<Parts>()) {
  parts_->module.setTargetTriple("bpf");
  parts_->module.setDataLayout(machine.createDataLayout());
  parts_->debug = std::make_unique<DebugInfo>(parts_->module, source);
  core_ = std::make_unique<CoreRelocations>(parts_->module, *parts_->debug);
  parts_->state = parts_->words("awl_state", std::max<uint32_t>(manifest.state_words, kStateMapErrors), false);
  uint32_t params = kParamCount;
  for (const ScriptParam &param : manifest.params) params = std::max(params, param.word + 1);
  for (const MachineWord &fact : manifest.machine) params = std::max(params, fact.word + 1);
  parts_->params = parts_->words("awl_params", params, true);
  // Not constant: as it is in C files, or libbpf would not link them.
  auto *license = parts_->global(llvm::ArrayType::get(llvm::Type::getInt8Ty(parts_->context), 4), false,
                                 llvm::ConstantDataArray::getString(parts_->context, "GPL"), "awl_license", "license");
  parts_->debug->describe(license, parts_->debug->array(parts_->debug->integer(1, false), 1, 4));
  maps_.resize(manifest.maps.size());
  // Also those that no program uses: the runtime expects every map of the manifest.
  for (uint32_t i = 0; i < maps_.size(); ++i)
    if (manifest.maps[i].role != MapRole::RingBuffer && manifest.maps[i].role != MapRole::Internal) map(i);
}

Object::~Object() = default;

llvm::Module &Object::module() { return parts_->module; }

llvm::Function *Object::add_program(const typed::Program &program) {
  auto &context = parts_->context;
  auto *type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {llvm::PointerType::getUnqual(context)}, false);
  auto *function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, program.name, &parts_->module);
  function->setDSOLocal(true);
  function->setDoesNotThrow();  // else LLVM adds unwind tables
  function->setSection(section_of(program.prog_type));
  parts_->debug->describe(function, source_.total_line_column(program.span.begin), {{"ctx"}});
  llvm::BasicBlock::Create(context, "entry", function);
  programs_.emplace_back(program.name, program.span);
  return function;
}

llvm::Function *Object::add_loop_body(const std::string &routine, Span span, bool over_map) {
  auto &context = parts_->context;
  auto *pointer = llvm::PointerType::getUnqual(context);
  std::vector<llvm::Type *> types{llvm::Type::getInt64Ty(context), pointer};
  if (over_map) types.assign(4, pointer);
  auto *type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), types, false);
  std::string name = routine + "_loop" + std::to_string(programs_.size());
  auto *function = add_internal(name, span, type);
  LineColumn where = source_.total_line_column(span.begin);
  if (over_map)
    parts_->debug->describe(function, where, {{"map"}, {"key"}, {"value"}, {"record"}});
  else
    parts_->debug->describe(function, where, {{"index", false}, {"record"}});
  return function;
}

llvm::Function *Object::add_function(const std::string &name, Span span) {
  auto *pointer = llvm::PointerType::getUnqual(parts_->context);
  auto *type = llvm::FunctionType::get(llvm::Type::getInt64Ty(parts_->context), {pointer, pointer, pointer}, false);
  auto *function = add_internal(name, span, type);
  parts_->debug->describe(function, source_.total_line_column(span.begin), {{"args"}, {"scratch"}, {"ctx"}});
  return function;
}

llvm::Function *Object::add_selection() {
  auto *number = llvm::Type::getInt64Ty(parts_->context);
  auto *function = add_internal("awl_meant", Span{}, llvm::FunctionType::get(number, {number}, false));
  parts_->debug->describe(function, {}, {{"tests", false}});
  return function;
}

// Integers are handed over as 64 bits that are extended as the type says; a narrower result comes in the lower ones.
void Object::declare_c_functions(const std::vector<typed::CFunction> &functions) {
  auto &context = parts_->context;
  auto passed = [&](const Type *type) -> llvm::Type * {
    if (type->is_pointer()) return llvm::PointerType::getUnqual(context);
    return llvm::Type::getInt64Ty(context);
  };
  for (const typed::CFunction &each : functions) {
    std::vector<llvm::Type *> params;
    for (const Type *param : each.params) params.push_back(passed(param));
    auto *type = llvm::FunctionType::get(passed(each.result), params, false);
    auto *function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, each.name, &parts_->module);
    function->setDoesNotThrow();
    parts_->debug->declare(function, each);
    c_functions_.push_back({function, &each});
  }
}

// libbpf puts internal functions without a section behind each program that uses them.
llvm::Function *Object::add_internal(const std::string &name, Span span, llvm::FunctionType *type) {
  auto *function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, &parts_->module);
  function->setDoesNotThrow();
  function->addFnAttr(llvm::Attribute::NoInline);
  llvm::BasicBlock::Create(parts_->context, "entry", function);
  programs_.emplace_back(name, span);
  return function;
}

llvm::DILocation *Object::location(llvm::Function *function, Span span) {
  LineColumn place = source_.total_line_column(span.begin);
  return llvm::DILocation::get(parts_->context, place.line, place.column, function->getSubprogram());
}

Span Object::program_span(std::string_view function) const {
  for (auto &[name, span] : programs_)
    if (name == function) return span;
  return {};
}

// --- Maps

MapShape Object::shape_of(const MapInfo &info) const {
  MapShape shape{info.bpf_type, 4, info.value_size, std::max(info.max_entries, 1u), info.flags};
  if (info.role == MapRole::Stack && shape.value_size == 0) shape.value_size = info.stack_frames * 8;
  const bool has_key = info.role == MapRole::User || info.role == MapRole::Twin || info.role == MapRole::Parts;
  if (has_key && info.key) shape.key_size = info.key->size;
  return shape;
}

Val Object::add_map(std::string_view name, const MapShape &shape) {
  auto *type = llvm::ArrayType::get(llvm::Type::getInt64Ty(parts_->context), kMapNumbers);
  auto *variable = parts_->global(type, false, llvm::Constant::getNullValue(type), {name.data(), name.size()}, ".maps");
  parts_->debug->describe(variable, parts_->debug->map_definition({{"type", shape.type},
                                                                   {"key_size", shape.key_size},
                                                                   {"value_size", shape.value_size},
                                                                   {"max_entries", shape.max_entries},
                                                                   {"map_flags", shape.flags}},
                                                                  kMapNumbers * 8));
  return variable;
}

Val Object::map(uint32_t index) {
  if (!maps_[index]) maps_[index] = add_map(manifest_.maps[index].bpf_name, shape_of(manifest_.maps[index]));
  return maps_[index];
}

Val Object::ring_buffer() {
  if (!ring_buffer_)
    ring_buffer_ = add_map("awl_ringbuf",
                           {BPF_MAP_TYPE_RINGBUF, 0, 0, static_cast<uint32_t>(manifest_.config.ring_buffer_bytes), 0});
  return ring_buffer_;
}

Val Object::usdt_specs() {
  if (!usdt_) usdt_ = add_map("awl_usdt", {BPF_MAP_TYPE_ARRAY, 4, sizeof(UsdtSpec), 1, 0});
  return usdt_;
}

Val Object::select_map(SelectMap which) {
  Val &map = select_[static_cast<size_t>(which)];
  if (map) return map;
  switch (which) {
    case SelectMap::Pids: return map = add_map("awl_pids", {BPF_MAP_TYPE_HASH, 4, 4, 1, 0});
    case SelectMap::Comms: return map = add_map("awl_comms", {BPF_MAP_TYPE_HASH, 16, 4, 1, 0});
    case SelectMap::Cgroups: return map = add_map("awl_cgroups", {BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, kMaxCgroups, 0});
  }
  return map;
}

Val Object::scratch() {
  if (!scratch_) {
    auto *type = llvm::ArrayType::get(llvm::Type::getInt64Ty(parts_->context), kMapNumbers);
    scratch_ = parts_->global(type, false, llvm::Constant::getNullValue(type), "awl_scratch", ".maps");
  }
  return scratch_;
}

uint32_t Object::reserve_scratch(uint32_t bytes, uint32_t elements, Span program) {
  constexpr uint32_t kMost = 32 << 10;  // of an element of a per-CPU map
  if (bytes > kMost)
    diagnostics_.emit(diag::ScratchTooLarge, program, bytes, kMost)
        .with_hint("lower `max_strlen` or read shorter strings");
  scratch_size_ = std::max(scratch_size_, bytes);
  uint32_t first = scratch_elements_;
  scratch_elements_ += elements;
  return first;
}

// --- Memory

Val Object::state() { return parts_->state; }
Val Object::params() { return parts_->params; }

Val Object::constant_data(const char *name, std::string bytes) {
  auto *data = llvm::ConstantDataArray::getString(parts_->context, bytes, false);
  auto *variable = parts_->global(data->getType(), true, data, name, kConstants);
  parts_->debug->describe(variable, parts_->debug->array(parts_->debug->integer(1, false), 1, bytes.size()));
  return variable;
}

Val Object::constant_bytes(std::string_view bytes, uint32_t size) {
  std::string data(bytes.substr(0, size));
  data.resize((size + 7) / 8 * 8);
  auto [known, fresh] = bytes_.try_emplace(data);
  if (fresh) known->second = constant_data("awl_bytes", std::move(data));
  return known->second;
}

Val Object::constant_zero(uint32_t size) {
  if (!zero_) {
    for (const MapInfo &info : manifest_.maps) zero_size_ = std::max(zero_size_, info.value_size);
    zero_ = constant_data("awl_zero", std::string(std::max(zero_size_, size), '\0'));
  }
  return zero_;
}

void Object::finish() {
  if (scratch_) {
    auto *definition = parts_->debug->map_definition({{"type", BPF_MAP_TYPE_PERCPU_ARRAY},
                                                      {"key_size", 4},
                                                      {"value_size", (scratch_size_ + 7) / 8 * 8},
                                                      {"max_entries", scratch_elements_}},
                                                     kMapNumbers * 8);
    parts_->debug->describe(static_cast<llvm::GlobalVariable *>(scratch_), definition);
  }
  core_->finish();
  parts_->debug->builder().finalize();
}

}  // namespace awl::codegen
