#include "runtime/types/type_store.h"

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"
#include "runtime/types/builtin_types.h"

namespace awl {
namespace {

void mix(size_t &hash, size_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL + (hash >> 29); }

struct HashType {
  size_t operator()(const Type *type) const {
    size_t hash = static_cast<size_t>(type->kind);
    mix(hash, static_cast<size_t>(type->display));
    mix(hash, type->size);
    mix(hash, type->count);
    mix(hash, reinterpret_cast<size_t>(type->target));
    mix(hash, static_cast<size_t>(type->is_signed) | static_cast<size_t>(type->space) << 1);
    mix(hash, static_cast<size_t>(type->aggregate));
    mix(hash, std::hash<std::string>()(type->name));
    for (const Field &field : type->fields) {
      mix(hash, reinterpret_cast<size_t>(field.type));
      mix(hash, field.offset);
    }
    return hash;
  }
};
struct EqualType {
  bool operator()(const Type *a, const Type *b) const { return *a == *b; }
};

uint32_t alignment_of(const Type *type) {
  return std::min<uint32_t>(8, std::bit_ceil(std::max<uint32_t>(1, type->size)));
}

uint32_t round_up(uint32_t value, uint32_t alignment) { return (value + alignment - 1) / alignment * alignment; }

// One blank between words, qualifiers dropped: "const  struct x" -> "struct x".
std::string normalize(std::string_view name) {
  std::string out;
  size_t i = 0;
  while (i < name.size()) {
    size_t begin = name.find_first_not_of(" \t\n", i);
    if (begin == std::string_view::npos) break;
    size_t end = std::min(name.find_first_of(" \t\n", begin), name.size());
    std::string_view word = name.substr(begin, end - begin);
    i = end;
    if (word == "const" || word == "volatile" || word == "restrict" || word == "__restrict") continue;
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

Type plain(TypeKind kind, uint32_t size) {
  Type type;
  type.kind = kind;
  type.size = size;
  return type;
}

}  // namespace

struct TypeStore::Impl {
  struct Lazy {
    Type type;
    TypeSource *owner;
    bool complete = false;
  };
  using LazyKey = std::tuple<TypeSource *, uint32_t, bool, bool, std::string>;

  // Sources go last: types of theirs may be asked about until then.
  std::vector<std::unique_ptr<TypeSource>> sources;
  std::vector<std::unique_ptr<TypeSource>> kept;
  std::unordered_set<const Type *, HashType, EqualType> types;
  std::vector<std::unique_ptr<Type>> owned;
  std::map<LazyKey, std::unique_ptr<Lazy>> lazy;
  std::unordered_map<const Type *, Lazy *> lazy_of;
  std::unordered_map<std::string, std::optional<const Type *>> found;
  std::unordered_map<std::string, std::optional<std::pair<const Type *, int64_t>>> enumerators;
  const Type *integers[9][2] = {};
  const Type *poison = nullptr, *void_type = nullptr, *boolean = nullptr;
};

TypeStore::TypeStore() : impl_(std::make_unique<Impl>()) {}
TypeStore::~TypeStore() = default;

void TypeStore::add_source(std::unique_ptr<TypeSource> source) {
  impl_->sources.push_back(std::move(source));
  impl_->found.clear();
  impl_->enumerators.clear();
}

TypeSource &TypeStore::keep(std::unique_ptr<TypeSource> source) { return *impl_->kept.emplace_back(std::move(source)); }

const Type *TypeStore::intern(Type type) {
  auto it = impl_->types.find(&type);
  if (it != impl_->types.end()) return *it;
  const Type *made = impl_->owned.emplace_back(std::make_unique<Type>(std::move(type))).get();
  impl_->types.insert(made);
  return made;
}

const Type *TypeStore::incomplete(Type type, TypeSource *owner) {
  auto &slot = impl_->lazy[{owner, type.btf_id, type.is_union, type.is_typedef, type.name}];
  if (!slot) {
    slot = std::make_unique<Impl::Lazy>(Impl::Lazy{std::move(type), owner});
    impl_->lazy_of[&slot->type] = slot.get();
  }
  return &slot->type;
}

const Type *TypeStore::poison() {
  if (!impl_->poison) impl_->poison = intern(plain(TypeKind::Poison, 0));
  return impl_->poison;
}

const Type *TypeStore::void_type() {
  if (!impl_->void_type) impl_->void_type = intern(plain(TypeKind::Void, 0));
  return impl_->void_type;
}

const Type *TypeStore::boolean() {
  if (!impl_->boolean) impl_->boolean = intern(plain(TypeKind::Bool, 1));
  return impl_->boolean;
}

const Type *TypeStore::integer(uint32_t size, bool is_signed) {
  const Type *&slot = impl_->integers[size <= 8 ? size : 0][is_signed];
  if (!slot) {
    Type type = plain(TypeKind::Int, size);
    type.is_signed = is_signed;
    slot = intern(std::move(type));
  }
  return slot;
}

const Type *TypeStore::pointer(const Type *target, AddressSpace space) {
  Type type = plain(TypeKind::Pointer, 8);
  type.target = target;
  type.space = space;
  return intern(std::move(type));
}

const Type *TypeStore::array(const Type *element, uint32_t count) {
  Type type = plain(TypeKind::Array, element->size * count);
  type.target = element;
  type.count = count;
  return intern(std::move(type));
}

const Type *TypeStore::string(uint32_t size) { return intern(plain(TypeKind::String, size)); }

const Type *TypeStore::buffer(uint32_t capacity) {
  Type type = plain(TypeKind::Buffer, 4 + capacity);
  type.count = capacity;
  return intern(std::move(type));
}

const Type *TypeStore::tuple(std::vector<const Type *> elements) { return record({}, std::move(elements)); }

const Type *TypeStore::record(std::vector<std::string> names, std::vector<const Type *> elements) {
  Type type = plain(TypeKind::Tuple, 0);
  type.is_record = !names.empty();
  uint32_t largest = 1;
  for (size_t i = 0; i < elements.size(); ++i) {
    uint32_t alignment = alignment_of(elements[i]);
    largest = std::max(largest, alignment);
    Field field;
    field.name = i < names.size() ? names[i] : std::to_string(i);
    field.type = elements[i];
    field.offset = round_up(type.size, alignment);
    type.size = field.offset + elements[i]->size;
    type.fields.push_back(std::move(field));
  }
  type.size = round_up(type.size, largest);
  return intern(std::move(type));
}

const Type *TypeStore::stack(bool user, StackMode mode, uint32_t frames) {
  Type type = plain(TypeKind::Stack, 8);
  type.stack_user = user;
  type.stack_mode = mode;
  type.stack_frames = frames;
  return intern(std::move(type));
}

const Type *TypeStore::aggregate(AggregateKind kind, const Type *argument) {
  if (kind == AggregateKind::Hist) return hist(argument, 0);
  Type type = plain(TypeKind::Aggregate, kind == AggregateKind::Count ? 8 : 16);
  type.aggregate = kind;
  type.target = argument;
  return intern(std::move(type));
}

const Type *TypeStore::hist(const Type *argument, uint32_t bits) {
  Type type = plain(TypeKind::Aggregate, (hist_buckets(bits) + 1) * 8);
  type.aggregate = AggregateKind::Hist;
  type.target = argument;
  type.hist_bits = bits;
  return intern(std::move(type));
}

const Type *TypeStore::lhist(const Type *argument, int64_t min, int64_t max, int64_t step) {
  Type type = plain(TypeKind::Aggregate, step > 0 ? (lhist_buckets(min, max, step) + 1) * 8 : 16);
  type.aggregate = AggregateKind::LHist;
  type.target = argument;
  type.lhist_min = min;
  type.lhist_max = max;
  type.lhist_step = step;
  return intern(std::move(type));
}

const Type *TypeStore::ratio() { return with_display(tuple({int64(), int64()}), Display::Ratio); }

const Type *TypeStore::tseries(const Type *argument, int64_t interval, uint32_t length, SeriesKind kind) {
  Type type = plain(TypeKind::Aggregate, length * kSeriesSlotSize);
  type.aggregate = AggregateKind::TSeries;
  type.target = argument;
  type.series = kind;
  type.series_interval = interval;
  type.series_length = length;
  return intern(std::move(type));
}

const Type *TypeStore::with_display(const Type *type, Display display) {
  if (type->display == display) return type;
  Type copy = *type;
  copy.display = display;
  return intern(std::move(copy));
}

const Type *TypeStore::display_type(Display display) {
  struct Part {
    const char *name;
    const Type *type;
  };
  auto composite = [&](const char *name, std::initializer_list<Part> parts) {
    Type type = plain(TypeKind::Struct, 0);
    type.name = name;
    type.display = display;
    for (const Part &part : parts) {
      Field field;
      field.name = part.name;
      field.type = part.type;
      field.offset = type.size;  // the layouts of type.h have no holes
      type.size += part.type->size;
      type.fields.push_back(std::move(field));
    }
    return intern(std::move(type));
  };
  const Type *u32 = integer(4, false);
  switch (display) {
    case Display::UserSymbol: return composite("usym_t", {{"address", uint64()}, {"pid", u32}, {"unused", u32}});
    case Display::Timestamp:
      return composite("timestamp", {{"nanoseconds", uint64()}, {"format", u32}, {"clock", u32}});
    case Display::Inet: return composite("inet", {{"family", u32}, {"address", array(integer(1, false), 16)}});
    case Display::CgroupPath: return composite("cgroup_path_t", {{"id", uint64()}, {"filter", u32}, {"unused", u32}});
    case Display::MacAddress: return with_display(array(integer(1, false), 6), display);
    default: return with_display(uint64(), display);
  }
}

Result<std::optional<const Type *>> TypeStore::find(std::string_view name) {
  std::string key = normalize(name);
  auto known = impl_->found.find(key);
  if (known != impl_->found.end()) return known->second;
  std::optional<const Type *> answer;
  if (const Type *builtin = builtin_type(*this, key)) answer = builtin;
  for (size_t i = 0; !answer && i < impl_->sources.size(); ++i) answer = TRY(impl_->sources[i]->find(*this, key));
  if (!answer) {
    if (const Type *common = common_typedef(*this, key)) answer = common;
  }
  impl_->found[key] = answer;
  return answer;
}

std::optional<std::pair<const Type *, int64_t>> TypeStore::enumerator(std::string_view name) {
  auto known = impl_->enumerators.find(std::string(name));
  if (known != impl_->enumerators.end()) return known->second;
  std::optional<std::pair<const Type *, int64_t>> found;
  for (const auto &source : impl_->sources) {
    found = source->enumerator(*this, name);
    if (found) break;
  }
  impl_->enumerators.emplace(name, found);
  return found;
}

std::vector<std::string> TypeStore::names() {
  std::vector<std::string> out = builtin_type_names();
  for (const auto &source : impl_->sources) {
    std::vector<std::string> more = source->names();
    out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return out;
}

Result<const std::vector<Field> *> TypeStore::fields(const Type *type) {
  auto it = impl_->lazy_of.find(type);
  if (it == impl_->lazy_of.end() || it->second->complete) return &type->fields;
  Impl::Lazy *lazy = it->second;
  lazy->type.fields = TRY(lazy->owner->fields(*this, type));
  lazy->complete = true;
  return &type->fields;
}

namespace {

// `open` are the structs around `type`, `done` those that need no second look.
Result<void> complete_in(TypeStore &store, const Type *type, std::vector<const Type *> &open,
                         std::unordered_set<const Type *> &done) {
  while (type && (type->kind == TypeKind::Array || type->kind == TypeKind::Aggregate)) type = type->target;
  if (!type || (type->kind != TypeKind::Struct && type->kind != TypeKind::Tuple)) return {};
  if (std::find(open.begin(), open.end(), type) != open.end()) return fail(to_string(type) + " contains itself");
  if (!done.insert(type).second) return {};
  open.push_back(type);
  const std::vector<Field> *members = TRY(store.fields(type));
  for (const Field &field : *members) {
    if (auto result = complete_in(store, field.type, open, done); !result) return result;
  }
  open.pop_back();
  return {};
}

}  // namespace

Result<void> TypeStore::complete(const Type *type) {
  std::vector<const Type *> open;
  std::unordered_set<const Type *> done;
  return complete_in(*this, type, open, done);
}

namespace {

// A struct cannot hold itself, but malformed type information may say so: the depth of anonymous nesting is limited.
Result<std::optional<FieldRef>> find_field(TypeStore &store, const Type *type, std::string_view name, int depth) {
  const std::vector<Field> *fields = TRY(store.fields(type));
  for (const Field &field : *fields) {
    if (field.name == name) {
      return FieldRef{type,       {field.name},   field.type,   field.offset, field.bit_offset,
                      field.bits, field.data_loc, field.rel_loc};
    }
  }
  if (depth == 0) return std::nullopt;
  for (const Field &field : *fields) {
    if (!field.name.empty() || field.type->kind != TypeKind::Struct) continue;
    std::optional<FieldRef> inner = TRY(find_field(store, field.type, name, depth - 1));
    if (!inner) continue;
    inner->owner = type;
    inner->offset += field.offset;
    return inner;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<FieldRef>> TypeStore::field(const Type *type, std::string_view name) {
  if (type->kind != TypeKind::Struct && type->kind != TypeKind::Tuple) return std::nullopt;
  if (name.empty()) return std::nullopt;
  return find_field(*this, type, name, 32);
}

}  // namespace awl
