// Control groups (v2): cgroupid, cgroup_path.
#include "ast/intrinsics/intrinsic.h"
#include "runtime/symbols/ids.h"

namespace awl::ast {

namespace {

const Type *infer_cgroupid(Inference &in, const CallSite &call) {
  std::string path = *in.literal(call.args[0]);
  if (!cgroup_id(path)) in.error(diag::BadName, call.args[0]->span, "cgroupid", "`" + path + "`", "no such directory");
  return in.store().uint64();
}
typed::ValuePtr lower_cgroupid(Lowering &low, const CallSite &call) {
  return low.machine_fact(MachineFact::Cgroup, *low.literal(call.args[0]), call.args[0]->span);
}

const Type *infer_cgroup_path(Inference &in, const CallSite &) { return in.store().display_type(Display::CgroupPath); }
typed::ValuePtr lower_cgroup_path(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::Compose>(low.type(call.node), call.node->span);
  out->parts.emplace_back(0, low.value_as(call.args[0], low.store().uint64()));
  std::string filter = call.args.size() > 1 ? *low.literal(call.args[1]) : "";
  out->parts.emplace_back(8, make_const(low.store().integer(4, false), low.string_index(filter), call.node->span));
  return out;
}

constexpr Intrinsic kTable[] = {
    {"cgroupid", infer_cgroupid, lower_cgroupid},
    {"cgroup_path", infer_cgroup_path, lower_cgroup_path},
};

}  // namespace

std::span<const Intrinsic> cgroup_intrinsics() { return kTable; }

}  // namespace awl::ast
