// What is known without arguments: the current task, clocks, the probe itself.
#include <linux/bpf.h>

#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

typed::ValuePtr helper(int id, const Type *type, Span span) {
  auto out = make_value<typed::HelperCall>(type, span);
  out->helper = id;
  return out;
}

typed::ValuePtr param(Lowering &low, ParamWord word, Span span) {
  auto out = make_value<typed::Param>(low.store().uint64(), span);
  out->word = word;
  return out;
}

const Type *infer_comm(Inference &in, const CallSite &) { return in.store().string(16); }
typed::ValuePtr lower_comm(Lowering &low, const CallSite &call) {
  // The program reads task_struct.comm itself: half the cost of the helper.
  FieldRef field;
  Type task;
  task.kind = TypeKind::Struct;
  task.origin = Origin::KernelBtf;
  task.name = "task_struct";
  field.owner = &task;
  field.path = {"comm"};
  low.need_core(field);
  return make_value<typed::Comm>(low.store().string(16), call.node->span);
}

const Type *infer_curtask(Inference &in, const CallSite &call) {
  Result<std::optional<const Type *>> task = in.store().find("struct task_struct");
  if (task && *task) return in.store().pointer(**task, AddressSpace::Kernel);
  in.error(diag::UnknownType, call.node->span, "struct task_struct")
      .with_hint(task ? "this kernel gives no BTF; is CONFIG_DEBUG_INFO_BTF set?" : task.error().message);
  return in.poison();
}
typed::ValuePtr lower_curtask(Lowering &low, const CallSite &call) { return low.current_task(call.node->span); }

struct Clock {
  std::string_view name;
  int helper;
};
constexpr Clock kClocks[] = {{"boot", BPF_FUNC_ktime_get_boot_ns},
                             {"monotonic", BPF_FUNC_ktime_get_ns},
                             {"tai", BPF_FUNC_ktime_get_tai_ns},
                             {"sw_tai", BPF_FUNC_ktime_get_boot_ns}};

const Clock *clock_of(const CallSite &call) {
  if (call.args.empty()) return &kClocks[0];
  const auto *word = as<Identifier>(call.args[0]);
  for (const Clock &c : kClocks)
    if (word && c.name == word->name) return &c;
  return nullptr;
}

const Type *infer_nsecs(Inference &in, const CallSite &call) {
  if (!clock_of(call))
    in.error(diag::BadName, call.args[0]->span, "nsecs", "this clock", "there are boot, monotonic, tai and sw_tai");
  return in.store().uint64();
}
typed::ValuePtr lower_nsecs(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  const Clock &clock = *clock_of(call);
  typed::ValuePtr now = helper(clock.helper, u64, call.node->span);
  if (clock.name != "sw_tai") return now;
  return make_binary(typed::Op::Add, false, std::move(now), param(low, kParamTaiOffset, call.node->span), u64);
}

const Type *infer_uint64(Inference &in, const CallSite &) { return in.store().uint64(); }
const Type *infer_uint32(Inference &in, const CallSite &) { return in.store().integer(4, false); }

typed::ValuePtr lower_elapsed(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  return make_binary(typed::Op::Sub, false, helper(BPF_FUNC_ktime_get_boot_ns, u64, call.node->span),
                     param(low, kParamStartTime, call.node->span), u64);
}

// The name of the probe: known now, or by the attach cookie where one program serves many. The cookie holds the number
// of the probe's name in its low half and that of the function's in the high one, with bit 31 for kStringCookie.
typed::ValuePtr probe_name(Lowering &low, const CallSite &call, Display display, const std::string &text) {
  const Type *type = low.store().with_display(low.store().uint64(), display);
  if (low.unit().target.wildcard()) {
    auto cookie = make_value<typed::HelperCall>(type, call.node->span);
    cookie->helper = BPF_FUNC_get_attach_cookie;
    cookie->args.push_back(make_value<typed::CtxPointer>(low.store().uint64(), call.node->span));
    const Type *u64 = low.store().uint64();
    const auto number = [&](uint64_t value) { return make_const(u64, value, call.node->span); };
    typed::ValuePtr half = std::move(cookie);
    if (display == Display::ProbeName)
      half = make_binary(typed::Op::ShiftLeft, false, std::move(half), number(32), u64);
    half = make_binary(typed::Op::ShiftRight, true, std::move(half), number(32), u64);
    return make_binary(typed::Op::And, false, std::move(half), number(kStringCookie | 0x7fffffff), type);
  }
  return make_const(type, kStringCookie | low.string_index(text), call.node->span);
}
const Type *infer_probe(Inference &in, const CallSite &) {
  return in.store().with_display(in.store().uint64(), Display::ProbeName);
}
typed::ValuePtr lower_probe(Lowering &low, const CallSite &call) {
  return probe_name(low, call, Display::ProbeName, low.unit().text);
}
const Type *infer_func(Inference &in, const CallSite &) {
  return in.store().with_display(in.store().uint64(), Display::FunctionName);
}
typed::ValuePtr lower_func(Lowering &low, const CallSite &call) {
  const ProbeTarget &target = low.unit().target;
  // What is at an address tells the kernel that runs.
  if (target.has_address && target.name.empty() && target.scope.empty())
    return make_const(low.store().with_display(low.store().uint64(), Display::FunctionName), target.address,
                      call.node->span);
  // Shown is what stands behind the last colon; names of C++ and Rust have colons, and stand in quotes as in a probe.
  const std::string &name = target.name;
  const bool quoted = name.find(':') != std::string::npos;
  return probe_name(low, call, Display::FunctionName, quoted ? '"' + name + '"' : name);
}

std::string probe_type(const Unit &unit) { return unit.is_run_by_session() ? "special" : unit.target.provider; }
const Type *infer_probetype(Inference &in, const CallSite &) {
  return in.store().string(static_cast<uint32_t>(probe_type(in.unit()).size()) + 1);
}
typed::ValuePtr lower_probetype(Lowering &low, const CallSite &call) {
  std::string text = probe_type(low.unit());
  auto out = make_value<typed::Bytes>(low.store().string(static_cast<uint32_t>(text.size()) + 1), call.node->span);
  out->data = text;
  return out;
}

// Where the kernel describes the function, its result is a member of the context.
std::optional<FieldRef> typed_result(TypeStore &store, const Unit &unit) {
  if (unit.context.prog_type != ProgType::Fexit) return std::nullopt;
  auto field = store.field(unit.context.args, "retval");
  return field ? *field : std::nullopt;
}
const Type *infer_retval(Inference &in, const CallSite &call) {
  const ProbeContext &context = in.unit().context;
  if (!context.no_retval.empty()) {
    in.error(diag::NotAvailable, call.node->span, "retval", in.unit().text).with_hint(context.no_retval);
    return in.poison();
  }
  std::optional<FieldRef> result = typed_result(in.store(), in.unit());
  if (!result && context.retval) return context.retval;
  if (!result) return in.store().int64();
  if (result->type->is_scalar()) return result->type;
  in.error(diag::NotAvailable, call.node->span, "retval", in.unit().text)
      .with_hint("the function returns " + describe(result->type));
  return in.poison();
}
typed::ValuePtr lower_retval(Lowering &low, const CallSite &call) {
  if (std::optional<FieldRef> result = typed_result(low.store(), low.unit())) {
    auto out = make_value<typed::CtxField>(result->type, call.node->span);
    out->field = *result;
    return out;
  }
  const Type *type = low.type(call.node);
  // Only the lowest byte of the register belongs to a truth value.
  const bool truth = type->kind == TypeKind::Bool;
  auto narrow = [&](typed::ValuePtr word) {
    return low.coerce(truth ? low.coerce(std::move(word), low.store().integer(1, false)) : std::move(word), type);
  };
  if (low.unit().context.prog_type == ProgType::Fexit) {
    auto ask = make_value<typed::HelperCall>(low.store().int64(), call.node->span);
    ask->helper = BPF_FUNC_get_func_ret;
    return narrow(std::move(ask));
  }
  auto out = make_value<typed::CtxLoad>(type->is_pointer() ? type : low.store().int64(), call.node->span);
#if defined(__x86_64__)
  out->offset = 80;  // ax in pt_regs
#else
  out->offset = 0;  // x0
#endif
  return narrow(std::move(out));
}

const Type *infer_args(Inference &in, const CallSite &) { return in.store().pointer(in.unit().context.args); }
typed::ValuePtr lower_args(Lowering &low, const CallSite &call) {
  low.error_not_supported(call.node->span, "an address of `args`");
  return nullptr;
}

const Type *infer_ctx(Inference &in, const CallSite &) {
  const ProbeContext &context = in.unit().context;
  return in.store().pointer(context.prog_type == ProgType::Iter ? context.args : in.store().void_type());
}
typed::ValuePtr lower_ctx(Lowering &low, const CallSite &call) {
  return make_value<typed::CtxPointer>(low.type(call.node), call.node->span);
}

const Type *infer_username(Inference &in, const CallSite &) {
  return in.store().with_display(in.store().uint64(), Display::Username);
}
typed::ValuePtr lower_username(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  return make_binary(typed::Op::And, false, helper(BPF_FUNC_get_current_uid_gid, u64, call.node->span),
                     make_const(u64, 0xffffffff, call.node->span), low.type(call.node));
}

typed::ValuePtr lower_cpid(Lowering &low, const CallSite &call) {
  return low.coerce(param(low, kParamChildPid, call.node->span), low.store().integer(4, false));
}

template <ParamWord Word>
typed::ValuePtr lower_param(Lowering &low, const CallSite &call) {
  return param(low, Word, call.node->span);
}

// Privilege level in the registers that the probe interrupted.
const Type *infer_usermode(Inference &in, const CallSite &call) {
  if (!in.unit().context.has_regs && !in.unit().is_run_by_session()) {
    Diagnostic &d = in.error(diag::NotAvailable, call.node->span, "usermode", in.unit().text);
    if (in.unit().function) d.with_hint("take it as a parameter: what a probe offers is not known in a function");
    return in.poison();
  }
  return in.store().integer(1, false);
}
typed::ValuePtr lower_usermode(Lowering &low, const CallSite &call) {
  if (low.unit().is_run_by_session()) return make_const(low.type(call.node), 1, call.node->span);
  const Type *u64 = low.store().uint64();
  auto state = make_value<typed::CtxLoad>(u64, call.node->span);
#if defined(__x86_64__)
  state->offset = 136;  // cs
  constexpr uint64_t kMask = 3, kUser = 3;
#else
  state->offset = 264;  // pstate
  constexpr uint64_t kMask = 15, kUser = 0;
#endif
  auto level = make_binary(typed::Op::And, false, std::move(state), make_const(u64, kMask, call.node->span), u64);
  auto user = make_binary(typed::Op::Equal, false, std::move(level), make_const(u64, kUser, call.node->span),
                          low.store().boolean());
  return low.coerce(std::move(user), low.type(call.node));
}

typed::ValuePtr lower_default_str_length(Lowering &low, const CallSite &call) {
  return make_const(low.store().uint64(), low.input().config.max_strlen, call.node->span);
}

constexpr Intrinsic kTable[] = {
    {"comm", infer_comm, lower_comm},
    {"curtask", infer_curtask, lower_curtask},
    {"nsecs", infer_nsecs, lower_nsecs},
    {"elapsed", infer_uint64, lower_elapsed},
    {"probe", infer_probe, lower_probe},
    {"func", infer_func, lower_func},
    {"probetype", infer_probetype, lower_probetype},
    {"retval", infer_retval, lower_retval},
    {"args", infer_args, lower_args},
    {"ctx", infer_ctx, lower_ctx},
    {"username", infer_username, lower_username},
    {"cpid", infer_uint32, lower_cpid},
    {"ncpus", infer_uint64, lower_param<kParamCpus>},
    {"own_pid_namespace", infer_uint64, lower_param<kParamPidSpace>},
    {"usermode", infer_usermode, lower_usermode},
    {"default_str_length", infer_uint64, lower_default_str_length},
};

}  // namespace

std::span<const Intrinsic> builtin_intrinsics() { return kTable; }

}  // namespace awl::ast
