// Types as written and C declarations: the Builder's other half.
#include <algorithm>
#include <bit>

#include "base/strings.h"
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
  if (count("char"))
    return named_type(span, count("signed") + count("__signed__") + count("__signed") ? "signed char" : sign + "char");
  if (count("short")) return named_type(span, sign + "short");
  if (count("double")) return named_type(span, "long double");
  if (count("__int128")) return named_type(span, sign + "__int128");
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

namespace {

// The number behind `name(` in the text of attributes; nullopt if it is not there.
std::optional<std::string_view> argument_of(std::string_view text, std::string_view name) {
  size_t at = text.find(std::string(name) + "(");
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + name.size() + 1);
  return text.substr(0, text.find(')'));
}

}  // namespace

// The classifier leaves only attributes that matter to a layout, and a `?` for a number that it cannot compute.
CAttributes Builder::c_attributes(Span span, const std::string &text) {
  CAttributes out;
  out.packed = text.find("packed") != std::string::npos;
  auto number = [&](std::string_view name, const char *what) -> uint32_t {
    std::optional<std::string_view> argument = argument_of(text, name);
    if (!argument) return 0;
    std::optional<uint64_t> value = parse_unsigned(*argument);
    bool good = value && std::has_single_bit(*value) && *value <= 1U << 16;
    if (!good) diagnostics_.emit(diag::UnknownConstant, span, what);
    return good ? static_cast<uint32_t>(*value) : 0;
  };
  out.aligned = number("aligned", "the alignment");
  out.max_alignment = number("pack", "the packing");
  out.mode_size = number("mode", "the mode");
  return out;
}

Specifier Builder::specifier(TypeName type) { return {std::move(type), nullptr, ""}; }

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

Declarator Builder::bitfield(Span span, Declarator declarator, Expr *bits, const std::string &attributes) {
  std::optional<int64_t> width = constant(bits);
  if (!width || *width < 0 || *width > 64)
    diagnostics_.emit(diag::UnknownConstant, bits->span, "the width of a bitfield");
  declarator.span = span;
  declarator.is_bitfield = true;
  declarator.attributes += " " + attributes;
  declarator.bits = static_cast<uint32_t>(std::clamp<int64_t>(width.value_or(1), 0, 64));
  return declarator;
}

CField Builder::field_of(Span span, const Specifier &specifier, Declarator declarator) {
  CField field;
  field.span = span;
  field.type = specifier.type;
  field.name = std::move(declarator.name);
  field.bits = declarator.bits;
  field.ends_unit = declarator.is_bitfield && declarator.bits == 0;
  field.attributes = c_attributes(span, specifier.attributes + declarator.attributes);
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
  CAttributes more = c_attributes(type.span, attributes);
  type.attributes.packed |= more.packed;
  type.attributes.aligned = std::max(type.attributes.aligned, more.aligned);
  type.attributes.max_alignment = std::max(type.attributes.max_alignment, more.max_alignment);
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
  CEnumerator enumerator{span, std::move(name), std::nullopt, value && is_unsigned(value)};
  if (value) {
    enumerator.value = constant(value);
    if (!enumerator.value) diagnostics_.emit(diag::UnknownConstant, value->span, "the value of an enumerator");
    next_enumerator_ = enumerator.value.value_or(0);
  }
  constants_[enumerator.name] = next_enumerator_;
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

}  // namespace awl::syntax
