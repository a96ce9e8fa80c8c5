#include "runtime/dwarf/dwarf_source.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace awl {

namespace {

constexpr int kMaxDepth = 64;

std::optional<uint64_t> number(Dwarf_Die *die, unsigned int name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (!dwarf_attr_integrate(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0) return std::nullopt;
  return value;
}

bool has(Dwarf_Die *die, unsigned int name) {
  Dwarf_Attribute attribute;
  return dwarf_attr_integrate(die, name, &attribute) != nullptr;
}

std::string name_of(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
  return name ? name : "";
}

std::optional<Dwarf_Die> type_of(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type)) return std::nullopt;
  return type;
}

bool is_qualifier(int tag) {
  return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type || tag == DW_TAG_restrict_type ||
         tag == DW_TAG_atomic_type || tag == DW_TAG_immutable_type || tag == DW_TAG_shared_type;
}

bool is_record(int tag) { return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type; }

bool is_pointer(int tag) {
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type;
}

// The name by which a script asks for the type; "" if it has none.
std::string keyed_name(Dwarf_Die *die, const std::string &prefix) {
  std::string name = name_of(die);
  if (name.empty()) return "";
  int tag = dwarf_tag(die);
  if (tag == DW_TAG_union_type) return "union " + prefix + name;
  if (is_record(tag)) return "struct " + prefix + name;
  if (tag == DW_TAG_enumeration_type) return "enum " + prefix + name;
  return tag == DW_TAG_typedef ? prefix + name : "";
}

}  // namespace

// --- Names -----------------------------------------------------------------------------------------------

void DwarfSource::read_unit(Dwarf_Die *scope, const std::string &prefix, int depth) {
  Dwarf_Die child;
  if (depth > kMaxDepth || dwarf_child(scope, &child) != 0) return;
  do {
    if (std::string name = keyed_name(&child, prefix); !name.empty() && !has(&child, DW_AT_declaration))
      by_name_.emplace(std::move(name), dwarf_dieoffset(&child));
    int tag = dwarf_tag(&child);
    if (tag == DW_TAG_namespace) read_unit(&child, prefix + name_of(&child) + "::", depth + 1);
    if (tag == DW_TAG_class_type || tag == DW_TAG_structure_type)
      read_unit(&child, prefix + name_of(&child) + "::", depth + 1);
  } while (dwarf_siblingof(&child, &child) == 0);
}

std::optional<Dwarf_Die> DwarfSource::definition(const std::string &name) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point patience = Clock::now() + std::chrono::seconds(1);
  while (true) {
    if (!said_ && Clock::now() > patience) {
      said_ = true;
      fmt::print(stderr, "reading the debug information of {} ...\n", file_->path());
    }
    Dwarf_Die die;
    auto it = by_name_.find(name);
    if (it != by_name_.end() && dwarf_offdie(file_->dwarf(), it->second, &die)) return die;
    if (all_read_) return std::nullopt;
    if (dwarf_get_units(file_->dwarf(), read_to_, &read_to_, nullptr, nullptr, &die, nullptr) != 0)
      all_read_ = true;
    else
      read_unit(&die, "", 0);
  }
}

Result<std::optional<const Type *>> DwarfSource::find(TypeStore &store, std::string_view name) {
  std::optional<Dwarf_Die> die = definition(std::string(name));
  if (!die && name.starts_with("struct ")) return std::nullopt;
  if (!die) {  // C++ needs no keyword
    for (const char *keyword : {"struct ", "union ", "enum "})
      if (!die && name.find(' ') == std::string_view::npos) die = definition(keyword + std::string(name));
  }
  if (!die) return std::nullopt;
  return TRY(type(store, *die));
}

std::vector<std::string> DwarfSource::names() {
  std::vector<std::string> out;
  for (const auto &[name, offset] : by_name_) out.push_back(name);
  return out;
}

// --- Types -----------------------------------------------------------------------------------------------

Result<const Type *> DwarfSource::type_behind(TypeStore &store, Dwarf_Die *die, int depth) {
  std::optional<Dwarf_Die> target = type_of(die);
  return target ? type(store, *target, depth + 1) : store.void_type();
}

Result<const Type *> DwarfSource::type(TypeStore &store, Dwarf_Die die, int depth) {
  if (depth > kMaxDepth) return fail(fmt::format("{}: types nested too deep", file_->path()));
  int tag = dwarf_tag(&die);
  if (is_qualifier(tag)) return type_behind(store, &die, depth);
  if (tag == DW_TAG_typedef) {
    std::optional<Dwarf_Die> target = type_of(&die);
    // `typedef struct { ... } name`: the struct goes by the name of the typedef.
    if (target && is_record(dwarf_tag(&*target)) && name_of(&*target).empty())
      return make_struct(store, &*target, dwarf_diename(&die), depth);
    return target ? type(store, *target, depth + 1) : store.void_type();
  }
  if (is_pointer(tag)) return store.pointer(TRY(type_behind(store, &die, depth)), AddressSpace::User);
  if (is_record(tag)) return make_struct(store, &die, nullptr, depth);
  if (tag == DW_TAG_enumeration_type) return make_enum(store, &die);
  if (tag == DW_TAG_array_type) return make_array(store, &die, depth);
  uint64_t size = number(&die, DW_AT_byte_size).value_or(0);
  if (tag == DW_TAG_ptr_to_member_type) return store.array(store.integer(1, false), size ? 16 : 8);
  if (tag != DW_TAG_base_type) return store.void_type();  // of functions, nullptr_t
  uint64_t encoding = number(&die, DW_AT_encoding).value_or(0);
  bool integer = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned ||
                 encoding == DW_ATE_unsigned_char || encoding == DW_ATE_UTF || encoding == DW_ATE_boolean;
  if (encoding == DW_ATE_boolean && size == 1) return store.boolean();
  if (integer && (size == 1 || size == 2 || size == 4 || size == 8))
    return store.integer(static_cast<uint32_t>(size), encoding == DW_ATE_signed || encoding == DW_ATE_signed_char);
  // No arithmetic here: its bytes.
  return store.array(store.integer(1, false), static_cast<uint32_t>(std::min<uint64_t>(size, 64)));
}

Result<const Type *> DwarfSource::make_struct(TypeStore &store, Dwarf_Die *die, const char *typedef_name, int depth) {
  if (has(die, DW_AT_declaration)) {
    std::string name = keyed_name(die, "");
    std::optional<Dwarf_Die> complete = depth < kMaxDepth ? definition(name) : std::nullopt;
    if (complete && !has(&*complete, DW_AT_declaration)) return make_struct(store, &*complete, nullptr, depth + 1);
  }
  uint64_t size = number(die, DW_AT_byte_size).value_or(0);
  if (size > std::numeric_limits<uint32_t>::max()) return fail(fmt::format("`{}` is too large", name_of(die)));
  Dwarf_Off offset = dwarf_dieoffset(die);
  auto [it, fresh] = numbers_.try_emplace(offset, static_cast<uint32_t>(structs_.size() + 1));
  if (fresh) structs_.push_back(offset);
  Type type;
  type.kind = TypeKind::Struct;
  type.origin = Origin::Dwarf;
  type.is_union = dwarf_tag(die) == DW_TAG_union_type;
  type.is_typedef = typedef_name != nullptr;
  type.name = typedef_name ? typedef_name : name_of(die);
  type.size = static_cast<uint32_t>(size);
  type.btf_id = it->second;
  return store.incomplete(std::move(type), this);
}

namespace {

// What an enum is made of says whether it has a sign. Without that, as older compilers of C write it, one of its values
// does.
bool is_signed_enum(Dwarf_Die *die) {
  std::optional<Dwarf_Die> underlying = type_of(die);
  while (underlying && dwarf_tag(&*underlying) != DW_TAG_base_type) underlying = type_of(&*underlying);
  if (std::optional<uint64_t> encoding = number(underlying ? &*underlying : die, DW_AT_encoding))
    return *encoding == DW_ATE_signed || *encoding == DW_ATE_signed_char;
  Dwarf_Die child;
  if (dwarf_child(die, &child) != 0) return false;
  do {
    Dwarf_Attribute attribute;
    Dwarf_Sword value = 0;
    if (dwarf_attr(&child, DW_AT_const_value, &attribute) && dwarf_whatform(&attribute) == DW_FORM_sdata &&
        dwarf_formsdata(&attribute, &value) == 0 && value < 0)
      return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

// Numbers of a fixed size have no sign of their own.
std::optional<int64_t> enumerator_value(Dwarf_Die *die, bool is_signed) {
  Dwarf_Attribute attribute;
  Dwarf_Sword value = 0;
  Dwarf_Word word = 0;
  if (!dwarf_attr(die, DW_AT_const_value, &attribute)) return std::nullopt;
  if (is_signed || dwarf_whatform(&attribute) == DW_FORM_sdata)
    return dwarf_formsdata(&attribute, &value) == 0 ? std::optional(value) : std::nullopt;
  return dwarf_formudata(&attribute, &word) == 0 ? std::optional(static_cast<int64_t>(word)) : std::nullopt;
}

}  // namespace

Result<const Type *> DwarfSource::make_enum(TypeStore &store, Dwarf_Die *die) {
  Type type;
  type.kind = TypeKind::Enum;
  type.name = name_of(die);
  type.size = static_cast<uint32_t>(number(die, DW_AT_byte_size).value_or(4));
  if (type.size != 1 && type.size != 2 && type.size != 4 && type.size != 8) type.size = 4;
  type.is_signed = is_signed_enum(die);
  Dwarf_Die child;
  if (dwarf_child(die, &child) == 0) {
    do {
      if (dwarf_tag(&child) != DW_TAG_enumerator) continue;
      if (std::optional<int64_t> value = enumerator_value(&child, type.is_signed))
        type.enumerators.push_back({name_of(&child), *value});
    } while (dwarf_siblingof(&child, &child) == 0);
  }
  return store.intern(std::move(type));
}

Result<const Type *> DwarfSource::make_array(TypeStore &store, Dwarf_Die *die, int depth) {
  const Type *element = TRY(type_behind(store, die, depth));
  std::vector<uint64_t> counts;
  Dwarf_Die child;
  if (dwarf_child(die, &child) == 0) {
    do {
      if (dwarf_tag(&child) != DW_TAG_subrange_type) continue;
      std::optional<uint64_t> count = number(&child, DW_AT_count), last = number(&child, DW_AT_upper_bound);
      counts.push_back(count ? *count : last ? *last + 1 : 0);
    } while (dwarf_siblingof(&child, &child) == 0);
  }
  if (counts.empty()) counts.push_back(0);
  for (auto count = counts.rbegin(); count != counts.rend(); ++count) {
    if (*count > std::numeric_limits<uint32_t>::max() / std::max(element->size, 1U))
      return fail("an array is too large");
    element = store.array(element, static_cast<uint32_t>(*count));
  }
  return element;
}

Result<std::optional<Field>> DwarfSource::field(TypeStore &store, Dwarf_Die *member) {
  int tag = dwarf_tag(member);
  // Static members have no place in it; a base class is a member without a name.
  if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || has(member, DW_AT_external) ||
      has(member, DW_AT_declaration))
    return std::nullopt;
  Field out;
  if (tag == DW_TAG_member) out.name = name_of(member);
  out.type = TRY(type_behind(store, member, 0));
  std::optional<uint64_t> location = number(member, DW_AT_data_member_location);
  if (!location && has(member, DW_AT_data_member_location))
    return std::nullopt;  // of a virtual base: found at run time
  uint64_t offset = location.value_or(0);
  out.offset = static_cast<uint32_t>(offset);
  std::optional<uint64_t> bits = number(member, DW_AT_bit_size);
  if (!bits) return out;
  uint64_t unit = uint64_t{out.type->size} * 8;
  if (!out.type->is_integral() || *bits == 0 || *bits > unit)
    return fail(fmt::format("bitfield `{}` does not fit", out.name));
  uint64_t first = offset * 8;
  if (std::optional<uint64_t> data = number(member, DW_AT_data_bit_offset))
    first = *data;
  else if (std::optional<uint64_t> from_top = number(member, DW_AT_bit_offset))
    first += number(member, DW_AT_byte_size).value_or(out.type->size) * 8 - *from_top - *bits;
  uint64_t storage = first / unit * out.type->size;
  if (first - storage * 8 + *bits > unit) storage = first / 8;
  out.offset = static_cast<uint32_t>(storage);
  out.bit_offset = static_cast<uint8_t>(first - storage * 8);
  out.bits = static_cast<uint8_t>(*bits);
  return out;
}

// An enum of Rust with values has its variants at one place, and before or in them the number of the one that holds.
Result<void> DwarfSource::add_fields(TypeStore &store, Dwarf_Die *record, std::vector<Field> &out, int depth) {
  Dwarf_Die child;
  if (depth > kMaxDepth || dwarf_child(record, &child) != 0) return {};
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_variant_part || tag == DW_TAG_variant) TRY(add_fields(store, &child, out, depth + 1));
    std::optional<Field> one = TRY(field(store, &child));
    if (!one) continue;
    if (dwarf_tag(record) == DW_TAG_variant_part && one->name.empty()) one->name = "discriminant";
    out.push_back(std::move(*one));
  } while (dwarf_siblingof(&child, &child) == 0);
  return {};
}

Result<std::vector<Field>> DwarfSource::fields(TypeStore &store, const Type *type) {
  std::vector<Field> out;
  Dwarf_Die die;
  if (dwarf_offdie(file_->dwarf(), structs_.at(type->btf_id - 1), &die)) TRY(add_fields(store, &die, out, 0));
  return out;
}

}  // namespace awl
