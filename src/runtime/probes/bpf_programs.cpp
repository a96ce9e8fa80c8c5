#include "runtime/probes/bpf_programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"

namespace awl {

namespace {

using ProgramTypes = std::unique_ptr<btf, void (*)(btf *)>;

// What a program knows of itself.
struct Described {
  ProgramTypes types{nullptr, btf__free};
  std::vector<uint32_t> functions;  // ids of BTF_KIND_FUNC
};

Result<Described> describe(int fd) {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return fail_errno("read a BPF program");
  Described out;
  if (info.btf_id == 0 || info.nr_func_info == 0) return out;
  const uint32_t count = info.nr_func_info, each = info.func_info_rec_size;
  std::vector<char> records(size_t{count} * each);
  info = {};
  info.nr_func_info = count;
  info.func_info_rec_size = each;
  info.func_info = reinterpret_cast<uintptr_t>(records.data());
  size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return fail_errno("read a BPF program");
  out.types.reset(btf__load_from_kernel_by_id(info.btf_id));
  if (!out.types) return out;
  for (uint32_t i = 0; i < std::min(count, info.nr_func_info); i++) {
    bpf_func_info record{};
    std::memcpy(&record, records.data() + size_t{i} * each, std::min<size_t>(each, sizeof(record)));
    out.functions.push_back(record.type_id);
  }
  return out;
}

const char *function_name(const btf *types, uint32_t id) {
  const btf_type *function = btf__type_by_id(types, id);
  return function && btf_is_func(function) ? btf__name_by_offset(types, function->name_off) : nullptr;
}

// What programs of a type get, and what the kernel has there (the contexts of include/linux/bpf_types.h).
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kBehind = {
    {{"xdp_md", "xdp_buff"},
     {"__sk_buff", "sk_buff"},
     {"bpf_sock_addr", "bpf_sock_addr_kern"},
     {"bpf_sock_ops", "bpf_sock_ops_kern"},
     {"sk_msg_md", "sk_msg"},
     {"sk_reuseport_md", "sk_reuseport_kern"},
     {"bpf_sysctl", "bpf_sysctl_kern"},
     {"bpf_sockopt", "bpf_sockopt_kern"},
     {"bpf_perf_event_data", "bpf_perf_event_data_kern"}}};

const btf_type *skip_modifiers(const btf *types, uint32_t id) {
  const btf_type *type = btf__type_by_id(types, id);
  while (type && (btf_is_mod(type) || btf_is_typedef(type))) type = btf__type_by_id(types, type->type);
  return type;
}

// A parameter as scripts see it. All of them are words.
const Type *shown_type(const btf *types, uint32_t id, TypeStore &store) {
  const btf_type *type = skip_modifiers(types, id);
  if (!type) return store.uint64();
  if (btf_is_int(type))
    return store.integer(type->size >= 8 ? 8 : type->size, (btf_int_encoding(type) & BTF_INT_SIGNED) != 0);
  if (btf_is_any_enum(type)) return store.integer(type->size, false);
  if (!btf_is_ptr(type)) return store.uint64();
  const btf_type *target = skip_modifiers(types, type->type);
  if (target && btf_is_struct(target)) {
    std::string_view name = btf__name_by_offset(types, target->name_off);
    const auto *known = std::ranges::find(kBehind, name, &std::pair<std::string_view, std::string_view>::first);
    if (known != kBehind.end()) name = known->second;
    if (auto found = store.find(fmt::format("struct {}", name)); found && *found)
      return store.pointer(**found, AddressSpace::Kernel);
  }
  return store.pointer(store.void_type(), AddressSpace::Kernel);
}

}  // namespace

Result<int> open_bpf_program(uint32_t id) {
  const int fd = bpf_prog_get_fd_by_id(id);
  if (fd < 0) return fail_errno(fmt::format("BPF program {}", id), -fd);
  return fd;
}

Result<std::vector<BpfFunction>> bpf_functions(std::string_view id, std::string_view name) {
  std::vector<BpfFunction> out;
  uint32_t program = 0;
  int error = 0;
  while ((error = bpf_prog_get_next_id(program, &program)) == 0) {
    if (!id.empty() && !glob_match(id, std::to_string(program))) continue;
    const Result<int> fd = open_bpf_program(program);
    if (!fd) continue;  // it has gone
    const Result<Described> described = describe(*fd);
    close(*fd);
    if (!described) continue;
    for (const uint32_t function : described->functions)
      if (const char *known = function_name(described->types.get(), function); known && glob_match(name, known))
        out.push_back({program, known});
  }
  if (error != -ENOENT) return fail_errno("list the BPF programs", -error);
  return out;
}

Result<BpfFunction> find_bpf_function(const ProbeTarget &target) {
  std::vector<BpfFunction> found = TRY(bpf_functions(target.space, target.name));
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    std::vector<std::string> names;
    for (BpfFunction &function : TRY(bpf_functions(target.space, "*"))) names.push_back(std::move(function.name));
    return unknown_name(target.space.empty() ? "function of BPF programs" : "function of this BPF program", target.name,
                        names);
  }
  std::string choice;
  for (const BpfFunction &function : found) choice += fmt::format("{}{}", choice.empty() ? "" : ", ", function.program);
  return fail(fmt::format("{} BPF programs have a function `{}`", found.size(), target.name),
              fmt::format("write `{}:bpf:ID:{}` with one of {}", target.provider, target.name, choice));
}

Result<const Type *> bpf_function_record(const BpfFunction &function, bool with_result, TypeStore &types) {
  const int fd = TRY(open_bpf_program(function.program));
  const Result<Described> described = describe(fd);
  close(fd);
  if (!described) return std::unexpected(described.error());
  const btf *own = described->types.get();
  for (const uint32_t id : described->functions) {
    const char *known = function_name(own, id);
    if (!known || known != function.name) continue;
    const btf_type *prototype = btf__type_by_id(own, btf__type_by_id(own, id)->type);
    if (!prototype || !btf_is_func_proto(prototype)) break;
    Type record;
    record.kind = TypeKind::Struct;
    record.origin = Origin::Context;
    record.name = fmt::format("{} bpf:{}:{}", with_result ? "fexit" : "fentry", function.program, function.name);
    auto add = [&](std::string name, const Type *type) {
      Field field;
      field.name = name.empty() ? fmt::format("arg{}", record.fields.size()) : std::move(name);
      field.type = type;
      field.offset = record.size;
      record.size += 8;
      record.fields.push_back(std::move(field));
    };
    const btf_param *param = btf_params(prototype);
    for (uint32_t i = 0; i < btf_vlen(prototype); i++, param++)
      add(btf__name_by_offset(own, param->name_off), shown_type(own, param->type, types));
    if (with_result) add("retval", shown_type(own, prototype->type, types));
    return types.intern(std::move(record));
  }
  return fail(fmt::format("BPF program {} has no function `{}`", function.program, function.name));
}

}  // namespace awl
