#include "runtime/types/type.h"

#include <fmt/format.h>

namespace awl {
namespace {

const char *display_name(Display display) {
  switch (display) {
    case Display::None: return "";
    case Display::KernelSymbol: return "ksym_t";
    case Display::UserSymbol: return "usym_t";
    case Display::Username: return "username_t";
    case Display::Timestamp: return "timestamp";
    case Display::Inet: return "inet";
    case Display::MacAddress: return "macaddr_t";
    case Display::CgroupPath: return "cgroup_path_t";
    case Display::ProbeName: return "probe_name_t";
    case Display::FunctionName: return "func_name_t";
    case Display::Ratio: return "ratio_t";
  }
  return "";
}

const char *aggregate_name(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::Count: return "count";
    case AggregateKind::Sum: return "sum";
    case AggregateKind::Min: return "min";
    case AggregateKind::Max: return "max";
    case AggregateKind::Avg: return "avg";
    case AggregateKind::Stats: return "stats";
    case AggregateKind::Hist: return "hist";
    case AggregateKind::LHist: return "lhist";
    case AggregateKind::TSeries: return "tseries";
  }
  return "";
}

std::string tuple_name(const Type *type) {
  std::string out = "(";
  for (size_t i = 0; i < type->fields.size(); ++i) {
    const Field &field = type->fields[i];
    if (i) out += ", ";
    if (type->is_record) out += field.name + "=";
    out += to_string(field.type);
  }
  if (type->fields.size() == 1 && !type->is_record) out += ",";
  return out + ")";
}

std::string struct_name(const Type *type) {
  if (type->origin == Origin::Tracefs) return "tracepoint " + type->name;
  if (type->origin == Origin::Context) return type->name;
  if (type->is_typedef) return type->name;
  std::string keyword = type->is_union ? "union" : "struct";
  return keyword + " " + (type->name.empty() ? "(anonymous)" : type->name);
}

// Dimensions of nested arrays read outermost first: uint8[2][3].
std::string array_name(const Type *type) {
  std::string dimensions;
  while (type && type->kind == TypeKind::Array) {
    dimensions += fmt::format("[{}]", type->count);
    type = type->target;
  }
  return to_string(type) + dimensions;
}

}  // namespace

std::string to_string(const Type *type) {
  if (!type) return "void";
  if (type->display != Display::None) return display_name(type->display);
  switch (type->kind) {
    case TypeKind::Poison: return "(error)";
    case TypeKind::Void: return "void";
    case TypeKind::Bool: return "bool";
    case TypeKind::Int:
      if (!type->name.empty()) return type->name;
      return fmt::format("{}int{}", type->is_signed ? "" : "u", type->size * 8);
    case TypeKind::Enum: return "enum " + (type->name.empty() ? "(anonymous)" : type->name);
    case TypeKind::Pointer: {
      std::string target = to_string(type->target);
      return target + (target.ends_with('*') ? "*" : " *");
    }
    case TypeKind::Array: return array_name(type);
    case TypeKind::Struct: return struct_name(type);
    case TypeKind::String: return type->size ? fmt::format("string[{}]", type->size) : "string";
    case TypeKind::Buffer: return type->count ? fmt::format("buffer[{}]", type->count) : "buffer";
    case TypeKind::Tuple: return tuple_name(type);
    case TypeKind::Stack: return type->stack_user ? "ustack" : "kstack";
    case TypeKind::Aggregate: return aggregate_name(type->aggregate);
  }
  return "";
}

}  // namespace awl
