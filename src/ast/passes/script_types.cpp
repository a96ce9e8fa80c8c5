#include "ast/passes/script_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <unordered_map>

#include "ast/passes/c_layout.h"

namespace awl::ast {
namespace {

constexpr int kMaxDepth = 64;  // of typedefs of typedefs

std::string_view keyword(CTypeKind kind) {
  switch (kind) {
    case CTypeKind::Struct: return "struct ";
    case CTypeKind::Union: return "union ";
    case CTypeKind::Enum: return "enum ";
    case CTypeKind::Typedef: return "";
  }
  return "";
}

// Bytes of numbers that have no arithmetic here, aligned to their size; 0 for all other types.
uint32_t wide_number(std::string_view name) {
  return name == "float" ? 4 : name == "double" ? 8 : name == "long double" || name.ends_with("__int128") ? 16 : 0;
}

// Alignment of a type from elsewhere; sources do not tell it, but its members do.
uint32_t alignment_of(TypeStore &store, const Type *type, int depth = 16) {
  while (type->kind == TypeKind::Array) type = type->target;
  if (type->kind != TypeKind::Struct) return type->is_scalar() && type->size ? type->size : 1;
  uint32_t alignment = 1;
  auto fields = store.fields(type);
  if (!fields || depth == 0) return 1;
  for (const Field &field : **fields) alignment = std::max(alignment, alignment_of(store, field.type, depth - 1));
  return type->size % alignment ? 1 : alignment;  // a packed one
}

class ScriptSource : public TypeSource {
 public:
  ScriptSource(std::vector<CType> types, std::vector<UnreadType> unread, Diagnostics &diagnostics)
      : types_(std::move(types)), unread_(std::move(unread)) {
    for (bool of_header : {false, true})
      for (const CType &type : types_)
        if (type.header.empty() != of_header) add(type, diagnostics);
  }

  [[nodiscard]] std::string name() const override { return "script"; }

  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override {
    auto it = by_name_.find(name);
    if (it == by_name_.end()) return not_read(name);
    if (depth_ > kMaxDepth) return fail(fmt::format("`{}` is defined by itself", name));
    ++depth_;
    auto type = type_of(store, *it->second);
    --depth_;
    if (!type) return std::unexpected(in_header(*it->second, std::move(type).error()));
    return *type;
  }

  Result<std::vector<Field>> fields(TypeStore &store, const Type *type) override {
    const CType &definition = *all_.at(type->btf_id - 1);
    auto laid_out = layout_of(store, definition);
    if (!laid_out) return std::unexpected(in_header(definition, std::move(laid_out).error()));
    const Layout *layout = *laid_out;
    std::vector<Field> out;
    for (size_t i = 0; i < definition.fields.size(); ++i) {
      const CField &member = definition.fields[i];
      if ((member.bits || member.ends_unit) && member.name.empty()) continue;  // padding
      Field field;
      field.name = member.name;
      field.type = TRY(type_of(store, member));
      field.offset = layout->places[i].offset;
      field.bit_offset = layout->places[i].bit_offset;
      field.bits = static_cast<uint8_t>(member.bits);
      out.push_back(std::move(field));
    }
    return out;
  }

  std::optional<std::pair<const Type *, int64_t>> enumerator(TypeStore &store, std::string_view name) override {
    for (const CType *definition : all_) {
      if (definition->kind != CTypeKind::Enum) continue;
      const Type *type = enum_of(store, *definition);
      for (const Enumerator &entry : type->enumerators) {
        if (entry.name == name) return std::pair{type, entry.value};
      }
    }
    return std::nullopt;
  }

  std::vector<std::string> names() override {
    std::vector<std::string> out;
    for (const auto &[name, definition] : by_name_) out.push_back(name);
    return out;
  }

 private:
  void add(const CType &definition, Diagnostics &diagnostics) {
    all_.push_back(&definition);
    numbers_[&definition] = static_cast<uint32_t>(all_.size());
    if (!definition.name.empty()) {
      std::string name = std::string(keyword(definition.kind)) + definition.name;
      bool fresh = by_name_.emplace(name, &definition).second;
      // Of headers the first one counts, as it does where they guard themselves against each other.
      if (!fresh && definition.header.empty()) diagnostics.emit(diag::Redeclared, definition.span, name);
    }
    for (const CField &field : definition.fields) {
      if (field.inner) add(*field.inner, diagnostics);
    }
  }

  Result<std::optional<const Type *>> not_read(std::string_view name) const {
    for (const UnreadType &type : unread_)
      if (type.name == name) return fail(fmt::format("`{}` of {} cannot be read: {}", name, type.header, type.why));
    return std::nullopt;
  }

  static Error in_header(const CType &definition, Error error) {
    if (!definition.header.empty() && error.message.find(definition.header) == std::string::npos)
      error.message = fmt::format("{}: {}", definition.header, error.message);
    return error;
  }

  Result<const Type *> type_of(TypeStore &store, const CType &definition, std::string_view typedef_name = {}) {
    if (definition.kind == CTypeKind::Enum) return enum_of(store, definition);
    if (definition.kind == CTypeKind::Typedef) {
      if (definition.fields.empty()) return fail(fmt::format("`{}` is a typedef of nothing", definition.name));
      return type_of(store, definition.fields[0], definition.name);
    }
    Type type;
    type.kind = TypeKind::Struct;
    type.origin = Origin::Script;
    type.is_union = definition.kind == CTypeKind::Union;
    type.name = definition.name;
    if (type.name.empty() && !typedef_name.empty()) {
      type.name = typedef_name;
      type.is_typedef = true;
    }
    type.size = static_cast<uint32_t>(TRY(layout_of(store, definition))->extent.size);
    type.btf_id = numbers_.at(&definition);
    return store.incomplete(std::move(type), this);
  }

  Result<const Type *> type_of(TypeStore &store, const CField &field, std::string_view typedef_name = {}) {
    const TypeName &written = field.type;
    bool plain = written.pointers == 0 && written.array.empty();
    const Type *type = field.inner ? TRY(type_of(store, *field.inner, plain ? typedef_name : std::string_view{}))
                                   : TRY(named(store, written.name, written.pointers > 0));
    if (field.attributes.mode_size && type->is_integral())
      type = store.integer(field.attributes.mode_size, type->is_signed);
    size_t dimensions = written.array.size();
    if (type->kind == TypeKind::String && dimensions == 1) return store.string(static_cast<uint32_t>(written.array[0]));
    for (int i = 0; i < written.pointers; ++i) type = store.pointer(type);
    for (size_t i = dimensions; i > 0; --i) {
      if (written.array[i - 1] * std::max<uint64_t>(type->size, 1) > std::numeric_limits<uint32_t>::max()) {
        return fail(fmt::format("array `{}` is too large", field.name));
      }
      type = store.array(type, static_cast<uint32_t>(written.array[i - 1]));
    }
    return type;
  }

  // A pointer may lead to a struct that nobody defines.
  Result<const Type *> named(TypeStore &store, const std::string &name, bool behind_pointer) {
    if (by_name_.contains(name)) return *TRY(find(store, name));
    if (uint32_t size = wide_number(name)) return store.array(store.integer(1, false), size);
    if (auto found = TRY(store.find(name))) return *found;
    bool is_struct = name.starts_with("struct "), is_union = name.starts_with("union ");
    if (!behind_pointer || !(is_struct || is_union)) return fail(fmt::format("unknown type `{}`", name));
    Type opaque;
    opaque.kind = TypeKind::Struct;
    opaque.origin = Origin::Script;
    opaque.is_union = is_union;
    opaque.name = name.substr(name.find(' ') + 1);
    return store.intern(std::move(opaque));
  }

  // --- Layout: sizes only, so that a struct may hold pointers to itself --------------------------------

  Result<const Layout *> layout_of(TypeStore &store, const CType &definition) {
    auto [it, fresh] = layouts_.try_emplace(&definition);
    if (!fresh) {
      if (!it->second) return fail(fmt::format("`{}{}` contains itself", keyword(definition.kind), definition.name));
      return it->second.get();
    }
    Placer placer(definition);
    for (const CField &field : definition.fields) {
      auto extent = extent_of(store, field);
      if (!extent) {
        layouts_.erase(&definition);
        return std::unexpected(std::move(extent).error());
      }
      placer.member(*extent, field);
    }
    auto layout = std::make_unique<Layout>(placer.finish());
    if (layout->extent.size > std::numeric_limits<uint32_t>::max()) {
      layouts_.erase(&definition);
      return fail(fmt::format("`{}` is too large", definition.name));
    }
    auto &slot = layouts_[&definition];
    slot = std::move(layout);
    return slot.get();
  }

  Result<Extent> extent_of(TypeStore &store, const CField &field) {
    Extent extent;
    if (field.type.pointers > 0) {
      extent = {8, 8};
    } else if (const CType *definition = definition_of(field)) {
      if (definition->kind == CTypeKind::Typedef && !definition->fields.empty()) {
        if (depth_ > kMaxDepth) return fail(fmt::format("`{}` is defined by itself", definition->name));
        ++depth_;
        auto result = extent_of(store, definition->fields[0]);
        --depth_;
        extent = TRY(std::move(result));
        if (definition->fields[0].attributes.aligned) extent.alignment = definition->fields[0].attributes.aligned;
      } else if (definition->kind == CTypeKind::Enum) {
        uint32_t size = enum_of(store, *definition)->size;
        extent = {size, size};
      } else {
        extent = TRY(layout_of(store, *definition))->extent;
      }
    } else {
      const Type *type = TRY(named(store, field.type.name, false));
      extent = {type->size, wide_number(field.type.name) ? type->size : alignment_of(store, type)};
    }
    if (field.attributes.mode_size) extent = {field.attributes.mode_size, field.attributes.mode_size};
    for (uint64_t count : field.type.array) extent.size *= std::min<uint64_t>(count, 1u << 31);
    if (extent.size > std::numeric_limits<uint32_t>::max()) return fail(fmt::format("`{}` is too large", field.name));
    bool scalar = field.type.array.empty() && field.type.pointers == 0 && std::has_single_bit(extent.size);
    if (field.bits && (!scalar || extent.size > 8 || field.bits > extent.size * 8)) {
      return fail(fmt::format("bitfield `{}` of {} bits does not fit its type", field.name, field.bits));
    }
    return extent;
  }

  // Built-in names cannot be redefined, as in TypeStore::find; C's own are never in by_name_.
  const CType *definition_of(const CField &field) {
    if (field.inner) return field.inner.get();
    auto it = by_name_.find(field.type.name);
    return it == by_name_.end() ? nullptr : it->second;
  }

  static const Type *enum_of(TypeStore &store, const CType &definition) {
    Type type;
    type.kind = TypeKind::Enum;
    type.name = definition.name;
    bool too_high = false;
    int64_t next = 0, lowest = 0, highest = 0;
    for (const CEnumerator &entry : definition.enumerators) {
      int64_t value = entry.value.value_or(next);
      type.enumerators.push_back({entry.name, value});
      next = static_cast<int64_t>(static_cast<uint64_t>(value) + 1);
      if (value < 0 && entry.is_unsigned)
        too_high = true;
      else
        lowest = std::min(lowest, value);
      highest = std::max(highest, value);
    }
    if (too_high) highest = std::numeric_limits<int64_t>::max();
    type.is_signed = lowest < 0;
    auto fits = [&](int bits) {
      return type.is_signed ? lowest >= -(int64_t{1} << (bits - 1)) && highest < int64_t{1} << (bits - 1)
                            : highest < int64_t{1} << bits;
    };
    type.size = definition.attributes.packed && fits(8)    ? 1
                : definition.attributes.packed && fits(16) ? 2
                : fits(32)                                 ? 4
                                                           : 8;
    return store.intern(std::move(type));
  }

  std::vector<CType> types_;
  std::vector<UnreadType> unread_;
  std::vector<const CType *> all_;  // with those defined in place
  std::unordered_map<const CType *, uint32_t> numbers_;
  std::map<std::string, const CType *, std::less<>> by_name_;
  std::unordered_map<const CType *, std::unique_ptr<Layout>> layouts_;  // null while it is being made
  int depth_ = 0;                                                       // of typedefs
};

void check_fields(TypeStore &store, const CType &definition, Diagnostics &diagnostics) {
  for (const CField &field : definition.fields) {
    if (field.inner) {
      check_fields(store, *field.inner, diagnostics);
      continue;
    }
    if (wide_number(field.type.name)) continue;
    bool tagged = field.type.name.starts_with("struct ") || field.type.name.starts_with("union ");
    auto found = store.find(field.type.name);
    if (found && *found) continue;
    if (found && tagged && field.type.pointers > 0) continue;
    Span place = field.type.span.empty() ? field.span : field.type.span;
    Diagnostic &report = diagnostics.emit(diag::UnknownType, place, field.type.name);
    if (!found) report.note(found.error().message);
  }
}

}  // namespace

std::unique_ptr<TypeSource> make_script_source(const std::vector<CType> &types, const std::vector<UnreadType> &unread,
                                               Diagnostics &diagnostics) {
  return std::make_unique<ScriptSource>(types, unread, diagnostics);
}

void check_script_types(TypeStore &store, const std::vector<CType> &types, Diagnostics &diagnostics) {
  for (const CType &definition : types)
    if (definition.header.empty()) check_fields(store, definition, diagnostics);
  if (diagnostics.has_errors()) return;
  // What is left are layouts: a struct in itself, a bitfield too wide.
  for (const CType &definition : types) {
    if (definition.name.empty() || !definition.header.empty()) continue;
    auto found = store.find(std::string(keyword(definition.kind)) + definition.name);
    auto done = found && *found && (**found)->is_struct() ? store.complete(**found) : Result<void>{};
    if (!found) done = std::unexpected(found.error());
    if (!done) {
      std::string name = std::string(keyword(definition.kind)) + definition.name;
      diagnostics.emit(diag::UnknownType, definition.span, name).note(done.error().message);
    }
  }
}

}  // namespace awl::ast
