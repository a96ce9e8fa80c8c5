// path(): where a file is, found by walking up the kernel's tree of names.
#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

bool is_struct(const Type *type, std::string_view name) { return type->kind == TypeKind::Struct && type->name == name; }

// struct path, struct file, or a pointer to one of them.
const Type *what_has_path(const Type *type) {
  const Type *held = type->is_pointer() ? type->target : type;
  return is_struct(held, "path") || is_struct(held, "file") ? held : nullptr;
}

const Type *infer_path(Inference &in, const CallSite &call) {
  const Type *type = in.infer(call.args[0]);
  if (!type) return nullptr;
  if (type->is_poison()) return type;
  if (!what_has_path(type)) {
    in.error(diag::ArgumentType, call.args[0]->span, 1, "path", describe(type), "a `struct path` or `struct file`");
    return in.poison();
  }
  auto size = static_cast<int64_t>(in.input().config.max_strlen);
  if (call.args.size() > 1) size = in.constant_argument(call, 1, 2, size, "the size");
  return in.store().string(static_cast<uint32_t>(size));
}

// A member of a kernel struct by its way from there; its owner is null if this kernel has none.
FieldRef member(Lowering &low, std::string_view owner, std::initializer_list<std::string_view> way) {
  TypeStore &store = low.store();
  FieldRef out;
  Result<std::optional<const Type *>> found = store.find(owner);
  const Type *type = found && *found ? **found : nullptr;
  for (std::string_view name : way) {
    auto field = type && type->kind == TypeKind::Struct ? store.field(type, name) : std::optional<FieldRef>();
    if (!field || !*field) return {};
    type = (*field)->type;
    if (!out.owner) {
      out = **field;
      continue;
    }
    out.path.insert(out.path.end(), (*field)->path.begin(), (*field)->path.end());
    out.offset += (*field)->offset;
    out.type = type;
  }
  low.need_core(out);
  return out;
}

// An address that is computed once.
typed::ValuePtr kept(Lowering &low, typed::ValuePtr value) {
  const Type *u64 = low.store().uint64();
  Span span = value->span;
  uint32_t local = low.new_local(u64);
  low.set_local(local, low.coerce(std::move(value), u64), span);
  return low.get_local(local, span);
}

typed::ValuePtr address_of(typed::ValuePtr base, const FieldRef &field, const Type *type) {
  auto out = make_value<typed::FieldAddress>(type, base->span);
  out->base = std::move(base);
  out->field = field;
  return out;
}

typed::ValuePtr lower_path(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  Expr *expr = call.args[0];
  const Type *type = low.type(expr);
  Span span = call.node->span;
  auto out = make_value<typed::PathText>(low.type(call.node), span);
  out->fields.resize(typed::kPathFields);
  auto set = [&](typed::PathField which, std::string_view owner, std::initializer_list<std::string_view> way) {
    FieldRef &field = out->fields[which] = member(low, owner, way);
    if (!field.owner)
      low.error_not_supported(span, fmt::format("`path` on a kernel without `{}.{}`", owner, *way.begin()));
  };
  set(typed::kPathDentry, "struct path", {"dentry"});
  set(typed::kPathMount, "struct path", {"mnt"});
  set(typed::kDentryParent, "struct dentry", {"d_parent"});
  set(typed::kDentryLength, "struct dentry", {"d_name", "len"});
  set(typed::kDentryName, "struct dentry", {"d_name", "name"});
  set(typed::kMountRoot, "struct vfsmount", {"mnt_root"});
  set(typed::kMountSelf, "struct mount", {"mnt"});
  set(typed::kMountParent, "struct mount", {"mnt_parent"});
  set(typed::kMountPoint, "struct mount", {"mnt_mountpoint"});
  set(typed::kDentrySuper, "struct dentry", {"d_sb"});
  set(typed::kSuperType, "struct super_block", {"s_type"});
  set(typed::kTypeName, "struct file_system_type", {"name"});

  typed::ValuePtr base;
  if (type->is_pointer()) {
    base = low.value(expr);
  } else if (std::optional<Lowering::Place> where = low.place(expr)) {
    base = low.address(std::move(*where), span);
  } else {
    low.error_not_supported(expr->span, "`path` of a copy");
    return nullptr;
  }
  if (is_struct(what_has_path(type), "file"))
    base = address_of(std::move(base), member(low, "struct file", {"f_path"}), u64);
  out->path = kept(low, std::move(base));

  // Where the process' own root is, the path ends.
  auto fs = make_value<typed::FieldLoad>(u64, span);
  fs->space = typed::Space::Trusted;
  fs->base = low.current_task(span);
  fs->field = member(low, "struct task_struct", {"fs"});
  out->root = kept(low, address_of(std::move(fs), member(low, "struct fs_struct", {"root"}), u64));
  return out;
}

constexpr Intrinsic kTable[] = {{"path", infer_path, lower_path}};

}  // namespace

std::span<const Intrinsic> path_intrinsics() { return kTable; }

}  // namespace awl::ast
