// Rules about types alone: no tree, no script.
#include <algorithm>

#include "ast/passes/inference.h"
#include "base/strings.h"

namespace awl::ast {

const Type *stored_type(TypeStore &store, const Type *type) {
  if (!type) return nullptr;
  if (type->kind == TypeKind::Int && type->display == Display::None) return store.integer(8, type->is_signed);
  if (type->kind == TypeKind::Tuple && type->display == Display::None) {
    std::vector<const Type *> elements;
    std::vector<std::string> names;
    for (const Field &f : type->fields) {
      elements.push_back(stored_type(store, f.type));
      names.push_back(f.name);
    }
    return type->is_record ? store.record(names, elements) : store.tuple(elements);
  }
  return type;
}

const Field *element(const Type *tuple, std::string_view name) {
  auto found = std::ranges::find(tuple->fields, name, &Field::name);
  if (found != tuple->fields.end()) return &*found;
  std::optional<uint64_t> number = parse_unsigned(name);
  return tuple->is_record && number && *number < tuple->fields.size() ? &tuple->fields[*number] : nullptr;
}

const Field *same_element(const Field &element, size_t index, const Type *in) {
  if (!in->is_record) return &in->fields[index];
  auto found = std::ranges::find(in->fields, element.name, &Field::name);
  return found == in->fields.end() ? nullptr : &*found;
}

namespace {

const Type *join_tuples(TypeStore &store, const Type *a, const Type *b) {
  if (a->fields.size() != b->fields.size() || a->is_record != b->is_record) return nullptr;
  std::vector<const Type *> elements;
  std::vector<std::string> names;
  for (size_t i = 0; i < a->fields.size(); i++) {
    const Field *other = same_element(a->fields[i], i, b);
    if (!other) return nullptr;
    const Type *joined = join_types(store, a->fields[i].type, other->type);
    if (!joined) return nullptr;
    elements.push_back(joined);
    names.push_back(a->fields[i].name);
  }
  return a->is_record ? store.record(names, elements) : store.tuple(elements);
}

bool is_plain_integer(const Type *type) { return type->is_integral() && type->display == Display::None; }

}  // namespace

const Type *join_types(TypeStore &store, const Type *a, const Type *b) {
  if (!a || a == b) return b;
  if (!b) return a;
  if (a->is_poison()) return b;
  if (b->is_poison()) return a;
  if (is_plain_integer(a) && is_plain_integer(b)) {
    if (a->kind == TypeKind::Bool && b->kind == TypeKind::Bool) return a;
    return store.integer(8, a->is_signed && b->is_signed);
  }
  // 0 is how scripts write "no pointer" and "no symbol".
  if ((a->is_pointer() || a->display != Display::None) && a->is_scalar() && is_plain_integer(b)) return a;
  if ((b->is_pointer() || b->display != Display::None) && b->is_scalar() && is_plain_integer(a)) return b;
  // The function of a probe, and what ksym() names.
  auto names_function = [](const Type *t) {
    return t->display == Display::KernelSymbol || t->display == Display::FunctionName;
  };
  if (names_function(a) && names_function(b)) return a->display == Display::FunctionName ? a : b;
  if (a->is_pointer() && b->is_pointer())
    return a->target == b->target ? store.pointer(a->target) : store.pointer(store.void_type());
  if (a->is_string() && b->is_string()) return a->size >= b->size ? a : b;
  if (a->kind == TypeKind::Buffer && b->kind == TypeKind::Buffer && a->display == b->display)
    return a->count >= b->count ? a : b;
  if (a->kind == TypeKind::Tuple && b->kind == TypeKind::Tuple && a->display == Display::None &&
      b->display == Display::None)
    return join_tuples(store, a, b);
  if (a->kind == TypeKind::Aggregate && b->kind == TypeKind::Aggregate && a->aggregate == b->aggregate) {
    if (a->hist_bits != b->hist_bits || a->lhist_min != b->lhist_min || a->lhist_max != b->lhist_max ||
        a->lhist_step != b->lhist_step || a->series != b->series || a->series_interval != b->series_interval ||
        a->series_length != b->series_length)
      return nullptr;
    Type joined = *a;
    joined.target = join_types(store, a->target, b->target);
    return joined.target ? store.intern(joined) : nullptr;
  }
  return nullptr;
}

const Type *aggregate_value(TypeStore &store, const Type *aggregate) {
  switch (aggregate->aggregate) {
    case AggregateKind::Count: return store.int64();
    case AggregateKind::Sum:
    case AggregateKind::Min:
    case AggregateKind::Max:
    case AggregateKind::Avg: return store.integer(8, !aggregate->target || aggregate->target->is_signed);
    case AggregateKind::Stats:
    case AggregateKind::Hist:
    case AggregateKind::LHist:
    case AggregateKind::TSeries: return nullptr;
  }
  return nullptr;
}

const Type *field_value_type(TypeStore &store, const Type *type) {
  if (type->kind == TypeKind::Array && type->target->kind == TypeKind::Int && type->target->size == 1 &&
      type->target->is_signed && type->count > 0)
    return store.string(type->count);
  return type;
}

bool is_text_in_record(const FieldRef &field) {
  if (!field.data_loc) return false;
  const Type *target = field.type->is_pointer() || field.type->kind == TypeKind::Array ? field.type->target : nullptr;
  return target && target->kind == TypeKind::Int && target->size == 1;
}

std::string base_name(const Type *type) {
  switch (type->kind) {
    case TypeKind::Poison:
    case TypeKind::Void: return "none";
    case TypeKind::Bool: return "bool";
    case TypeKind::Int:
    case TypeKind::Enum: return "int";
    case TypeKind::Pointer: return "pointer";
    case TypeKind::Array: return "array";
    case TypeKind::Struct: return "record";
    case TypeKind::Tuple: return type->is_record ? "record" : "tuple";
    case TypeKind::String: return "string";
    case TypeKind::Buffer: return "buffer";
    case TypeKind::Stack: return "stack";
    case TypeKind::Aggregate: return "aggregate";
  }
  return "";
}

std::string name_of(const Expr *expr) {
  const auto *call = as<Call>(expr);
  return call ? call->name + "()" : "this";
}

std::string describe(const Type *type) {
  if (!type) return "a value of unknown type";
  std::string name = to_string(type);
  bool vowel =
      !name.empty() && std::string_view("aeiou").find(name[0]) != std::string_view::npos && !name.starts_with("uint");
  return (vowel ? "an `" : "a `") + name + "`";
}

}  // namespace awl::ast
