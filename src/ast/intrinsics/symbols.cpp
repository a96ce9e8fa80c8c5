// Addresses and their names: ksym, usym, kaddr, percpu_kaddr, uaddr, reg, sargN.
#include <linux/bpf.h>

#include <algorithm>

#include "ast/intrinsics/intrinsic.h"
#include "base/strings.h"
#include "runtime/probes/uprobe_attach.h"
#include "runtime/symbols/elf_file.h"
#include "runtime/symbols/symbols.h"

namespace awl::ast {

namespace {

const Type *infer_ksym(Inference &in, const CallSite &) {
  return in.store().with_display(in.store().uint64(), Display::KernelSymbol);
}
typed::ValuePtr lower_ksym(Lowering &low, const CallSite &call) {
  return low.value_as(call.args[0], low.type(call.node));
}

const Type *infer_usym(Inference &in, const CallSite &) { return in.store().display_type(Display::UserSymbol); }
typed::ValuePtr lower_usym(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  auto ids = make_value<typed::HelperCall>(u64, call.node->span);
  ids->helper = BPF_FUNC_get_ns_current_pid_tgid;
  auto pid = make_binary(typed::Op::ShiftRight, false, std::move(ids), make_const(u64, 32, call.node->span), u64);
  auto out = make_value<typed::Compose>(low.type(call.node), call.node->span);
  out->parts.emplace_back(0, low.value_as(call.args[0], u64));
  out->parts.emplace_back(8, low.coerce(std::move(pid), low.store().integer(4, false)));
  return out;
}

constexpr const char *kShownSymbols = "symbols of variables are shown by kernels with CONFIG_KALLSYMS_ALL";

// The build machine's addresses are asked for errors alone: where the program runs, the kernel stands elsewhere.
bool kernel_has(const std::string &name) { return kernel_symbols().address(name).has_value(); }

const Type *infer_kaddr(Inference &in, const CallSite &call) {
  std::string name = *in.literal(call.args[0]);
  if (!kernel_has(name))
    in.error(diag::BadName, call.args[0]->span, "kaddr", "`" + name + "`",
             "the kernel has no such symbol, or hides addresses")
        .with_hint(kShownSymbols);
  return in.store().uint64();
}
typed::ValuePtr lower_kaddr(Lowering &low, const CallSite &call) {
  return low.machine_fact(MachineFact::KernelSymbol, *low.literal(call.args[0]), call.args[0]->span);
}

// A per-CPU variable stands at its symbol's address plus the CPU's offset, which the kernel keeps in an array.
constexpr const char *kCpuOffsets = "__per_cpu_offset";

const Type *infer_percpu_kaddr(Inference &in, const CallSite &call) {
  std::string name = *in.literal(call.args[0]);
  if (!kernel_has(name) || !kernel_has(kCpuOffsets))
    in.error(diag::BadName, call.args[0]->span, "percpu_kaddr", "`" + name + "`",
             "the kernel has no such symbol, or hides addresses")
        .with_hint(kShownSymbols);
  return in.store().pointer(in.store().uint64(), AddressSpace::Kernel);
}

typed::ValuePtr lower_percpu_kaddr(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  Span span = call.node->span;
  auto symbol = low.machine_fact(MachineFact::KernelSymbol, *low.literal(call.args[0]), call.args[0]->span);
  auto offsets = low.machine_fact(MachineFact::KernelSymbol, kCpuOffsets, span);
  auto current = make_value<typed::HelperCall>(u64, span);
  current->helper = BPF_FUNC_get_smp_processor_id;
  uint32_t cpu = low.new_local(u64);
  low.set_local(cpu, call.args.size() > 1 ? low.value_as(call.args[1], u64) : std::move(current), span);
  auto offset = make_value<typed::Load>(u64, span);
  auto index = make_binary(typed::Op::Mul, false, low.get_local(cpu, span), make_const(u64, 8, span), u64);
  offset->address = make_binary(typed::Op::Add, false, std::move(index), std::move(offsets), u64);
  auto count = make_value<typed::Param>(u64, span);
  count->word = kParamCpus;
  auto out = make_value<typed::Select>(low.type(call.node), span);
  out->condition =
      make_binary(typed::Op::Less, false, low.get_local(cpu, span), std::move(count), low.store().boolean());
  out->then = make_binary(typed::Op::Add, false, std::move(offset), std::move(symbol), low.type(call.node));
  out->otherwise = make_const(low.type(call.node), 0, span);
  return out;
}

struct UserSymbol {
  uint64_t address = 0;
  std::optional<uint64_t> probed;  // where the probe fires in the file, if that is one place
  bool relocatable = false;
};

Result<UserSymbol> user_symbol(const Unit &unit, const std::string &name) {
  std::string path = TRY(resolve_binary(unit.target.scope));
  std::shared_ptr<ElfFile> file = TRY(ElfFile::open(path));
  const std::vector<ElfSymbol> *symbols = TRY(file->symbols());
  UserSymbol out;
  out.relocatable = file->position_independent();
  auto find = [&](const std::string &wanted) { return std::ranges::find(*symbols, wanted, &ElfSymbol::name); };
  auto it = find(name);
  if (it == symbols->end()) return fail("no symbol `" + name + "` in " + path);
  out.address = it->address;
  const ProbeTarget &target = unit.target;
  if (target.provider != "uprobe") return out;
  if (target.has_address)
    out.probed = firing_address(*file, target, target.address);
  else if (auto probed = TRY(file->symbol(target.name)))
    out.probed = firing_address(*file, target, probed->address);
  return out;
}

const Type *infer_uaddr(Inference &in, const CallSite &call) {
  Result<UserSymbol> symbol = user_symbol(in.unit(), *in.literal(call.args[0]));
  if (!symbol)
    in.error(diag::BadName, call.args[0]->span, "uaddr", "this", symbol.error().message);
  else if (symbol->relocatable && !symbol->probed)
    in.error(diag::NotSupported, call.node->span,
             "`uaddr` of a position independent file outside `uprobe:FILE:FUNCTION`");
  return in.store().uint64();
}
typed::ValuePtr lower_uaddr(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  Result<UserSymbol> symbol = user_symbol(low.unit(), *low.literal(call.args[0]));
  if (!symbol) return nullptr;
  if (!symbol->relocatable) return make_const(u64, symbol->address, call.node->span);
  // The instruction pointer tells where the file was loaded.
  auto ip = make_value<typed::CtxLoad>(u64, call.node->span);
#if defined(__x86_64__)
  ip->offset = 128;
#else
  ip->offset = 256;  // pc
#endif
  return make_binary(typed::Op::Add, false, std::move(ip),
                     make_const(u64, symbol->address - *symbol->probed, call.node->span), u64);
}

struct Register {
  std::string_view name;
  uint32_t offset;  // in struct pt_regs
};
#if defined(__x86_64__)
constexpr Register kRegisters[] = {
    {"r15", 0},  {"r14", 8},  {"r13", 16}, {"r12", 24},    {"bp", 32},  {"bx", 40},  {"r11", 48}, {"r10", 56},
    {"r9", 64},  {"r8", 72},  {"ax", 80},  {"cx", 88},     {"dx", 96},  {"si", 104}, {"di", 112}, {"orig_ax", 120},
    {"ip", 128}, {"pc", 128}, {"cs", 136}, {"flags", 144}, {"sp", 152}, {"ss", 160},
};
#else
constexpr Register kRegisters[] = {
    {"x0", 0},  {"x1", 8},  {"x2", 16},   {"x3", 24},   {"x4", 32},  {"x5", 40},  {"x6", 48},
    {"x7", 56}, {"x8", 64}, {"x29", 232}, {"x30", 240}, {"lr", 240}, {"sp", 248}, {"pc", 256},
};
#endif

const Register *find_register(std::string_view name) {
  for (const Register &r : kRegisters)
    if (r.name == name) return &r;
  return nullptr;
}

const Type *infer_reg(Inference &in, const CallSite &call) {
  std::string name = *in.literal(call.args[0]);
  if (!find_register(name)) {
    std::vector<std::string> names;
    for (const Register &r : kRegisters) names.emplace_back(r.name);
    in.error(diag::BadName, call.args[0]->span, "reg", "`" + name + "`", "no such register")
        .with_hint(fmt::format("there are {}", fmt::join(names, ", ")));
  }
  return in.store().uint64();
}
typed::ValuePtr lower_reg(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::CtxLoad>(low.store().uint64(), call.node->span);
  out->offset = find_register(*low.literal(call.args[0]))->offset;
  return out;
}

// sarg0 ... sarg9: arguments that did not fit into registers stand one behind the other from where the stack pointer is
// at the entry; on x86-64 the return address is in front of them.
const Type *infer_stack_argument(Inference &in, const CallSite &call) {
  if (in.unit().target.offset != 0)
    in.error(diag::NotAtEntry, call.node->span, call.function->name, in.unit().text)
        .with_hint("keep it at the entry, in a map by `tid`");
  return in.store().int64();
}
typed::ValuePtr lower_stack_argument(Lowering &low, const CallSite &call) {
#if defined(__x86_64__)
  constexpr uint64_t kFirst = 8;
#else
  constexpr uint64_t kFirst = 0;
#endif
  const Type *u64 = low.store().uint64();
  const Span span = call.node->span;
  const auto number = static_cast<uint64_t>(call.function->name.back() - '0');
  auto sp = make_value<typed::CtxLoad>(u64, span);
  sp->offset = find_register("sp")->offset;
  auto out = make_value<typed::Load>(low.type(call.node), span);
  out->space = low.unit().context.user_code ? typed::Space::User : typed::Space::Kernel;
  out->address = make_binary(typed::Op::Add, false, std::move(sp), make_const(u64, kFirst + number * 8, span), u64);
  return out;
}

constexpr Intrinsic kTable[] = {
    {"ksym", infer_ksym, lower_ksym},
    {"usym", infer_usym, lower_usym},
    {"kaddr", infer_kaddr, lower_kaddr},
    {"percpu_kaddr", infer_percpu_kaddr, lower_percpu_kaddr},
    {"uaddr", infer_uaddr, lower_uaddr},
    {"reg", infer_reg, lower_reg},
    {"stack_argument", infer_stack_argument, lower_stack_argument},
};

}  // namespace

std::span<const Intrinsic> symbol_intrinsics() { return kTable; }

}  // namespace awl::ast
