// Functions of user programs: their parameters, and the registers that these are in.
#include <dwarf.h>
#include <fmt/format.h>

#include "runtime/dwarf/dwarf_source.h"
#include "runtime/dwarf/variables.h"

namespace awl {

namespace {

#if defined(__x86_64__)
constexpr int kRegisters = 6;
#else
constexpr int kRegisters = 8;
#endif

std::string text_of(Dwarf_Die *die, int depth = 0);

// C's name of the type behind `die`; "void" if there is none.
std::string type_text(Dwarf_Die *die, int depth) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type)) return "void";
  return text_of(&type, depth + 1);
}

std::string text_of(Dwarf_Die *die, int depth) {
  const char *name = dwarf_diename(die);
  std::string shown = name ? name : "{...}";
  if (depth > 32) return shown;
  switch (dwarf_tag(die)) {
    case DW_TAG_const_type: {
      std::string target = type_text(die, depth);
      return target.ends_with('*') ? target + " const" : "const " + target;
    }
    case DW_TAG_volatile_type: return "volatile " + type_text(die, depth);
    case DW_TAG_restrict_type: return type_text(die, depth);
    case DW_TAG_pointer_type: {
      std::string target = type_text(die, depth);
      return target + (target.ends_with('*') ? "*" : " *");
    }
    case DW_TAG_reference_type: return type_text(die, depth) + " &";
    case DW_TAG_rvalue_reference_type: return type_text(die, depth) + " &&";
    case DW_TAG_array_type: return type_text(die, depth) + "[]";
    case DW_TAG_subroutine_type: return "function";
    // Names of C++ and Rust that cannot be one of C go without the keyword.
    case DW_TAG_structure_type: return (shown.find_first_of("<&(:[") == std::string::npos ? "struct " : "") + shown;
    case DW_TAG_union_type: return "union " + shown;
    case DW_TAG_enumeration_type: return "enum " + shown;
    default: return shown;
  }
}

std::optional<Dwarf_Die> peeled_type(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  Dwarf_Die type, peeled;
  if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type)) return std::nullopt;
  return dwarf_peel_type(&type, &peeled) == 0 ? std::optional(peeled) : std::nullopt;
}

bool is_record(Dwarf_Die *type) {
  const int tag = dwarf_tag(type);
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

// True if copies of a class of C++ are more than copies of its bytes, as far as its members tell: a destructor that
// somebody wrote, a table of virtual functions, or a member or base for which this holds.
bool has_own_copying(Dwarf_Die *type, int depth = 0) {
  Dwarf_Die child;
  if (depth > 16 || !is_record(type) || dwarf_child(type, &child) != 0) return false;
  do {
    const int tag = dwarf_tag(&child);
    const char *name = dwarf_diename(&child);
    const bool implied = dwarf_hasattr(&child, DW_AT_artificial) || dwarf_hasattr(&child, DW_AT_defaulted);
    if (tag == DW_TAG_subprogram && name && *name == '~' && !implied) return true;
    if (tag != DW_TAG_member && tag != DW_TAG_inheritance) continue;
    if (name && std::string_view(name).starts_with("_vptr")) return true;
    if (dwarf_hasattr(&child, DW_AT_external)) continue;  // static
    std::optional<Dwarf_Die> inner = peeled_type(&child);
    if (inner && has_own_copying(&*inner, depth + 1)) return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

// By the address of a copy. Clang tells; GCC leaves it to be concluded.
bool passed_by_reference(Dwarf_Die *die) {
  std::optional<Dwarf_Die> type = peeled_type(die);
  Dwarf_Attribute attribute;
  Dwarf_Word convention = 0;
  if (!type) return false;
  if (dwarf_attr(&*type, DW_AT_calling_convention, &attribute) && dwarf_formudata(&attribute, &convention) == 0)
    return convention == DW_CC_pass_by_reference;
  return has_own_copying(&*type);
}

// Which halves of a value of up to 16 bytes hold anything but floating point numbers.
void integer_halves(Dwarf_Die type, uint64_t offset, bool (&halves)[2], int depth = 0) {
  int tag = dwarf_tag(&type);
  Dwarf_Attribute attribute;
  Dwarf_Word encoding = 0, size = 0;
  if (tag == DW_TAG_base_type && dwarf_formudata(dwarf_attr(&type, DW_AT_encoding, &attribute), &encoding) == 0 &&
      (encoding == DW_ATE_float || encoding == DW_ATE_complex_float))
    return;
  if (tag == DW_TAG_array_type) {
    std::optional<Dwarf_Die> element = peeled_type(&type);
    bool first[2] = {false, false};
    if (element) integer_halves(*element, 0, first, depth + 1);
    if (!first[0] && !first[1]) return;
  }
  Dwarf_Die member;
  if (is_record(&type) && depth < 16 && dwarf_child(&type, &member) == 0) {
    do {
      std::optional<Dwarf_Die> inner = peeled_type(&member);
      Dwarf_Word at = 0;
      if (dwarf_attr(&member, DW_AT_data_member_location, &attribute)) dwarf_formudata(&attribute, &at);
      bool data = dwarf_tag(&member) == DW_TAG_member || dwarf_tag(&member) == DW_TAG_inheritance;
      if (data && inner && !dwarf_hasattr(&member, DW_AT_external))
        integer_halves(*inner, offset + at, halves, depth + 1);
    } while (dwarf_siblingof(&member, &member) == 0);
    return;
  }
  if (dwarf_aggregate_size(&type, &size) != 0) size = 8;
  for (uint64_t byte = offset; byte < offset + size && byte < 16; byte++) halves[byte / 8] = true;
}

std::string declaration(Dwarf_Die *variable, const std::string &name) {
  std::string text = type_text(variable, 0);
  return text + (text.ends_with('*') || text.ends_with('&') ? "" : " ") + name;
}

bool is_rust(Dwarf_Die *function) {
  Dwarf_Die unit;
  return dwarf_diecu(function, &unit, nullptr, nullptr) && dwarf_srclang(&unit) == DW_LANG_Rust;
}

// Hands out the general registers, in the order of the parameters (System V ABI of x86-64, AAPCS64).
class Registers {
 public:
  Registers(Dwarf_Die *function, const Type *result) : rust_(is_rust(function)) {
    check(function, result);
#if defined(__x86_64__)
    // A result in memory: its address comes first.
    if (result->size > 16 || passed_by_reference(function)) next(1);
#endif
  }

  ArgumentRegisters take(Dwarf_Die *parameter, const Type *type) {
    check(parameter, type);
    if (!sure_) return {};
    if (passed_by_reference(parameter)) return address();
    if (is_word(type)) return next(1);
#if defined(__aarch64__)
    if (type->size > 16) return address();
#else
    if (type->size > 16) return {};
#endif
    bool halves[2] = {false, false};
    if (std::optional<Dwarf_Die> peeled = peeled_type(parameter)) integer_halves(*peeled, 0, halves);
    const int wanted = halves[0] + halves[1];
    const ArgumentRegisters out = next(wanted);
    return wanted == (type->size <= 8 ? 1 : 2) ? out : ArgumentRegisters{};
  }

 private:
  static bool is_word(const Type *type) { return type->is_scalar() && type->size <= 8; }

  // Rust keeps to no convention for structs, except that `&str` and other slices are two words: what comes behind one
  // may be in any register.
  void check(Dwarf_Die *value, const Type *type) {
    if (!rust_ || is_word(type) || type->size == 0) return;
    std::optional<Dwarf_Die> peeled = peeled_type(value);
    const char *name = peeled ? dwarf_diename(&*peeled) : nullptr;
    sure_ = sure_ && type->size == 16 && name && *name == '&';
  }

  ArgumentRegisters address() {
    ArgumentRegisters out = next(1);
    out.by_address = out.count > 0;
    return out;
  }

  ArgumentRegisters next(int count) {
    if (next_ + count > kRegisters) return {};
    next_ += count;
    return {next_ - count, count, false};
  }

  bool rust_;
  bool sure_ = true;
  int next_ = 0;
};

UserFunction::ResultPlace result_place(Dwarf_Die *function, const Type *result) {
  using enum UserFunction::ResultPlace;
  std::optional<Dwarf_Die> type = peeled_type(function);
  if (!type || (result->is_scalar() && result->size <= 8)) return Register;
  if (is_rust(function) && dwarf_tag(&*type) != DW_TAG_base_type) return Unknown;
  if (dwarf_tag(&*type) == DW_TAG_base_type) {
    Dwarf_Attribute attribute;
    Dwarf_Word encoding = 0;
    dwarf_formudata(dwarf_attr(&*type, DW_AT_encoding, &attribute), &encoding);
    return encoding == DW_ATE_float || encoding == DW_ATE_complex_float ? FloatRegister : Register;
  }
  if (!is_record(&*type)) return Register;
  if (result->size > 16 || passed_by_reference(function)) {
#if defined(__x86_64__)
    return Address;
#else
    return Unknown;  // the register that had the address may hold anything at the return
#endif
  }
  bool halves[2] = {false, false};
  integer_halves(*type, 0, halves);
  if (!halves[0] && !halves[1]) return result->size == 0 ? Register : FloatRegister;
  return halves[0] ? Register : Unknown;
}

}  // namespace

Result<std::optional<UserFunction>> DwarfSource::function(TypeStore &store, uint64_t address) {
  std::optional<Dwarf_Die> die = file_->function_at(address);
  if (!die) return std::nullopt;
  UserFunction out;
  out.result = TRY(type_behind(store, &*die, 0));
  out.result_text = type_text(&*die, 0);
  out.result_place = result_place(&*die, out.result);
  Dwarf_Attribute external;
  out.is_local = !dwarf_attr_integrate(&*die, DW_AT_external, &external);
  Registers registers(&*die, out.result);
  Dwarf_Die child;
  if (dwarf_child(&*die, &child) != 0) return out;
  do {
    if (dwarf_tag(&child) != DW_TAG_formal_parameter) continue;
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(&child, DW_AT_name, &attribute));
    const Type *type = TRY(type_behind(store, &child, 0));
    out.registers.push_back(registers.take(&child, type));
    out.texts.push_back(declaration(&child, name ? name : ""));
    out.places.push_back(place_at({*file_, *die, address}, &child));
    out.params.emplace_back(name ? name : "", type);
  } while (dwarf_siblingof(&child, &child) == 0);
  return out;
}

Result<std::vector<UserVariable>> DwarfSource::variables(TypeStore &store, uint64_t address) {
  std::vector<UserVariable> out;
  for (FoundVariable &found : variables_at(*file_, address)) {
    found.variable.type = TRY(type_behind(store, &found.die, 0));
    found.variable.text = declaration(&found.die, found.variable.name);
    out.push_back(std::move(found.variable));
  }
  return out;
}

}  // namespace awl
