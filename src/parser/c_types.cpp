// Types as written and C declarations: the Builder's other half.
#include <algorithm>
#include <limits>

#include "parser/builder.h"

namespace awl::syntax {

using namespace ast;

// --- Type names ----------------------------------------------------------------------------------------

TypeName Builder::named_type(Span span, std::string name) {
  TypeName type;
  type.span = span;
  type.name = std::move(name);
  return type;
}

// `long unsigned int` and its like under one name each: "unsigned long".
TypeName Builder::c_integer_type(Span span, const std::vector<std::string> &words) {
  auto count = [&](const char *word) { return std::count(words.begin(), words.end(), word); };
  std::string sign = count("unsigned") ? "unsigned " : "";
  if (count("char")) return named_type(span, count("signed") ? "signed char" : sign + "char");
  if (count("short")) return named_type(span, sign + "short");
  if (count("long")) return named_type(span, sign + (count("long") > 1 ? "long long" : "long"));
  return named_type(span, sign + "int");
}

TypeName Builder::pointer_to(Span span, TypeName type) {
  if (!type.array.empty()) not_supported(span, "a pointer to an array");
  type.span = span;
  type.pointers++;
  return type;
}

uint64_t Builder::array_size(Expr *size) {
  if (!size) return 0;
  std::optional<int64_t> value = constant(size);
  if (!value || *value < 0) diagnostics_.emit(diag::UnknownConstant, size->span, "the size of an array");
  return static_cast<uint64_t>(std::max<int64_t>(value.value_or(1), 0));
}

TypeName Builder::array_of(Span span, TypeName type, Expr *size) {
  type.span = span;
  type.array.push_back(array_size(size));
  return type;
}

TypeName Builder::typeof_type(Span span, Expr *expr) {
  TypeName type;
  type.span = span;
  type.typeof_expr = expr;
  return type;
}

// Alternatives are for declarations of the standard library only and stay text.
TypeName Builder::type_or(Span span, TypeName first, const TypeName &second) {
  first.span = span;
  first.name += "|" + second.name + std::string(static_cast<size_t>(second.pointers), '*');
  return first;
}

// --- C declarations --------------------------------------------------------------------------------------

Specifier Builder::specifier(TypeName type) { return {std::move(type), nullptr}; }

Specifier Builder::specifier(CType type) {
  const char *keyword = type.kind == CTypeKind::Enum ? "enum" : type.kind == CTypeKind::Union ? "union" : "struct";
  Specifier specifier;
  specifier.type = named_type(type.span, keyword + (type.name.empty() ? "" : " " + type.name));
  specifier.inner = std::make_shared<CType>(std::move(type));
  return specifier;
}

Declarator Builder::c_array(Span span, Declarator declarator, Expr *size) {
  declarator.span = span;
  if (declarator.nested)
    declarator.opaque = true;
  else
    declarator.array.push_back(array_size(size));
  return declarator;
}

Declarator Builder::bitfield(Span span, Declarator declarator, Expr *bits) {
  std::optional<int64_t> width = constant(bits);
  if (!width || *width < 0 || *width > 64)
    diagnostics_.emit(diag::UnknownConstant, bits->span, "the width of a bitfield");
  declarator.span = span;
  declarator.bits = static_cast<uint32_t>(std::clamp<int64_t>(width.value_or(1), 0, 64));
  return declarator;
}

CField Builder::field_of(Span span, const Specifier &specifier, Declarator declarator) {
  CField field;
  field.span = span;
  field.type = specifier.type;
  field.name = std::move(declarator.name);
  field.bits = declarator.bits;
  if (declarator.opaque) {
    field.type = named_type(specifier.type.span, "void");
    field.type.pointers = 1;
  } else {
    field.type.pointers += declarator.pointers;
    field.inner = specifier.inner;
  }
  field.type.array = std::move(declarator.array);
  return field;
}

void Builder::add_members(std::vector<CField> &members, Span span, const Specifier &specifier,
                          std::vector<Declarator> declarators) {
  if (declarators.empty()) {  // an anonymous struct or union, whose members count as ours
    members.push_back(field_of(span, specifier, {}));
    return;
  }
  for (Declarator &declarator : declarators) {
    Span place = join(specifier.type.span, declarator.span);
    members.push_back(field_of(place, specifier, std::move(declarator)));
  }
}

CType Builder::record_type(Span span, const std::string &keyword, std::string name, std::vector<CField> members,
                           const std::string &attributes) {
  CType type;
  type.span = span;
  type.kind = keyword == "union" ? CTypeKind::Union : CTypeKind::Struct;
  type.name = std::move(name);
  type.fields = std::move(members);
  return with_attributes(std::move(type), attributes);
}

CType Builder::with_attributes(CType type, const std::string &attributes) {
  type.packed = type.packed || attributes.find("packed") != std::string::npos;
  return type;
}

CType Builder::enum_type(Span span, std::string name, std::vector<CEnumerator> enumerators) {
  CType type;
  type.span = span;
  type.kind = CTypeKind::Enum;
  type.name = std::move(name);
  type.enumerators = std::move(enumerators);
  next_enumerator_ = 0;
  return type;
}

CEnumerator Builder::enumerator(Span span, std::string name, Expr *value) {
  CEnumerator enumerator{span, std::move(name), std::nullopt};
  if (value) {
    enumerator.value = constant(value);
    if (!enumerator.value) diagnostics_.emit(diag::UnknownConstant, value->span, "the value of an enumerator");
    next_enumerator_ = enumerator.value.value_or(0);
  }
  enumerators_[enumerator.name] = next_enumerator_;
  next_enumerator_ = static_cast<int64_t>(static_cast<uint64_t>(next_enumerator_) + 1);
  return enumerator;
}

void Builder::add_type(CType type) { program_.types.push_back(std::move(type)); }

void Builder::add_typedefs(Span span, const Specifier &specifier, std::vector<Declarator> declarators) {
  for (Declarator &declarator : declarators) {
    CType type;
    type.span = span;
    type.kind = CTypeKind::Typedef;
    type.name = std::move(declarator.name);
    declarator.name.clear();
    type.fields.push_back(field_of(join(specifier.type.span, declarator.span), specifier, std::move(declarator)));
    program_.types.push_back(std::move(type));
  }
}

// --- Constants -------------------------------------------------------------------------------------------

namespace {

// Of a pointer or integer; other sizes are not known here.
std::optional<int64_t> size_of(const TypeName &type) {
  static const std::map<std::string_view, int64_t> kSizes = {{"char", 1},
                                                             {"signed char", 1},
                                                             {"unsigned char", 1},
                                                             {"short", 2},
                                                             {"unsigned short", 2},
                                                             {"int", 4},
                                                             {"unsigned int", 4},
                                                             {"long", 8},
                                                             {"long long", 8},
                                                             {"unsigned long", 8},
                                                             {"unsigned long long", 8},
                                                             {"int8", 1},
                                                             {"uint8", 1},
                                                             {"int16", 2},
                                                             {"uint16", 2},
                                                             {"int32", 4},
                                                             {"uint32", 4},
                                                             {"int64", 8},
                                                             {"uint64", 8}};
  auto it = kSizes.find(type.name);
  if (type.pointers == 0 && it == kSizes.end()) return std::nullopt;
  int64_t size = type.pointers > 0 ? 8 : it->second;
  for (uint64_t length : type.array)
    if (__builtin_mul_overflow(size, length, &size)) return std::nullopt;
  return size;
}

}  // namespace

std::optional<int64_t> Builder::constant(const Expr *expr) const {
  if (const auto *number = as<IntegerLiteral>(expr)) return static_cast<int64_t>(number->value);
  if (const auto *name = as<Identifier>(expr)) {
    auto it = enumerators_.find(name->name);
    return it == enumerators_.end() ? std::nullopt : std::optional(it->second);
  }
  if (const auto *unary = as<Unary>(expr)) {
    std::optional<int64_t> value = constant(unary->operand);
    if (!value) return std::nullopt;
    if (unary->op == UnaryOp::Negate) return static_cast<int64_t>(-static_cast<uint64_t>(*value));
    if (unary->op == UnaryOp::BitNot) return ~*value;
    if (unary->op == UnaryOp::Not) return !*value;
    return std::nullopt;
  }
  if (const auto *choice = as<Conditional>(expr)) {
    std::optional<int64_t> value = constant(choice->condition);
    if (!value) return std::nullopt;
    return *value == 0 ? constant(choice->otherwise) : choice->then ? constant(choice->then) : value;
  }
  if (const auto *size = as<SizeOf>(expr); size && size->type) return size_of(*size->type);
  if (const auto *binary = as<Binary>(expr)) return constant_binary(*binary);
  return std::nullopt;
}

std::optional<int64_t> Builder::constant_binary(const Binary &binary) const {
  std::optional<int64_t> left = constant(binary.left);
  std::optional<int64_t> right = constant(binary.right);
  if (!left || !right) return std::nullopt;
  auto a = static_cast<uint64_t>(*left);
  auto b = static_cast<uint64_t>(*right);
  switch (binary.op) {
    case BinaryOp::Add: return static_cast<int64_t>(a + b);
    case BinaryOp::Sub: return static_cast<int64_t>(a - b);
    case BinaryOp::Mul: return static_cast<int64_t>(a * b);
    case BinaryOp::Div:
    case BinaryOp::Mod:
      if (b == 0 || *right == -1) return std::nullopt;
      return binary.op == BinaryOp::Div ? *left / *right : *left % *right;
    case BinaryOp::BitAnd: return static_cast<int64_t>(a & b);
    case BinaryOp::BitOr: return static_cast<int64_t>(a | b);
    case BinaryOp::BitXor: return static_cast<int64_t>(a ^ b);
    case BinaryOp::ShiftLeft: return static_cast<int64_t>(a << (b & 63));
    case BinaryOp::ShiftRight: return *left >> (b & 63);
    default: return std::nullopt;
  }
}

}  // namespace awl::syntax
