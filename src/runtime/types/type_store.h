// All types, from ordered sources. The store interns; sources find struct, union, enum and typedef
// names in kernel BTF, tracefs formats, the script and DWARF.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/types/type.h"

namespace awl {

class TypeStore;

// A finder of named types. "Not found" is an empty optional, "found but broken" an error.
class TypeSource {
 public:
  virtual ~TypeSource() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // `name` with keyword for tagged types ("struct task_struct", "enum x"), bare for typedefs ("size_t").
  virtual Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) = 0;
  // Fields of an incomplete struct that this source made.
  virtual Result<std::vector<Field>> fields(TypeStore &store, const Type *type) = 0;
  // Value of an enumerator ("TCP_ESTABLISHED"), with its enum type.
  virtual std::optional<std::pair<const Type *, int64_t>> enumerator(TypeStore &, std::string_view) { return {}; }
  // Names for did-you-mean, with keyword.
  virtual std::vector<std::string> names() { return {}; }
};

// A field found by name, through anonymous members.
struct FieldRef {
  const Type *owner = nullptr;    // the struct that the path starts in
  std::vector<std::string> path;  // named members, each embedded in the one before
  const Type *type = nullptr;     // of the last member
  uint32_t offset = 0;            // bytes from the start of owner, as known at compile time
  uint8_t bit_offset = 0;
  uint8_t bits = 0;
  bool data_loc = false;
  bool rel_loc = false;
  // True if the offset has to be relocated when the program is loaded.
  [[nodiscard]] bool relocated() const {
    return owner && (owner->origin == Origin::KernelBtf || owner->origin == Origin::Tracefs);
  }
};

class TypeStore {
 public:
  TypeStore();
  ~TypeStore();
  TypeStore(const TypeStore &) = delete;
  TypeStore &operator=(const TypeStore &) = delete;

  void add_source(std::unique_ptr<TypeSource> source);  // asked in the order of adding
  // Owns a source of types that are not found by name, but refer to it as long as they live.
  TypeSource &keep(std::unique_ptr<TypeSource> source);

  // Built-in types.
  const Type *poison();
  const Type *void_type();
  const Type *boolean();
  const Type *integer(uint32_t size, bool is_signed);
  const Type *int64() { return integer(8, true); }
  const Type *uint64() { return integer(8, false); }
  const Type *pointer(const Type *target, AddressSpace space = AddressSpace::Unknown);
  const Type *array(const Type *element, uint32_t count);
  const Type *string(uint32_t size);  // bytes, NUL included
  const Type *buffer(uint32_t capacity);
  // Members are laid out in order, each aligned to min(8, its size rounded up to a power of two).
  // The size is rounded up to the largest alignment among them.
  const Type *tuple(std::vector<const Type *> elements);
  const Type *record(std::vector<std::string> names, std::vector<const Type *> elements);
  const Type *stack(bool user, StackMode mode, uint32_t frames);
  const Type *aggregate(AggregateKind kind, const Type *argument);
  const Type *hist(const Type *argument, uint32_t bits);
  const Type *lhist(const Type *argument, int64_t min, int64_t max, int64_t step);
  const Type *ratio();  // what ratio() gives: two int64 (Display::Ratio)
  const Type *tseries(const Type *argument, int64_t interval, uint32_t length, SeriesKind kind);
  const Type *with_display(const Type *type, Display display);
  // The value types behind displays that are not plain integers: layouts of type.h.
  const Type *display_type(Display display);
  const Type *intern(Type type);
  // A struct known by name, size and btf_id only; `owner` is asked for its fields when they are needed. The same
  // owner, name and btf_id give the same type.
  const Type *incomplete(Type type, TypeSource *owner);

  // A type by the name a script writes: "uint64", "unsigned long", "struct task_struct", "pid_t",
  // "string"; without pointers and dimensions. Built-in names first, then the sources, then common typedefs of C
  // (pid_t) for kernels without BTF. "string" and "buffer" have size 0 here: the script gives it as a dimension.
  Result<std::optional<const Type *>> find(std::string_view name);
  std::optional<std::pair<const Type *, int64_t>> enumerator(std::string_view name);
  // All names known for did-you-mean.
  std::vector<std::string> names();

  // Fields of a struct, completing it when first asked for.
  Result<const std::vector<Field> *> fields(const Type *type);
  // Completes a struct and all structs embedded in it (not those behind pointers): from then on Type::fields may be
  // read directly, as by the runtime and by serialize_image.
  Result<void> complete(const Type *type);
  // Named field, searched through anonymous members; nullopt if there is none.
  Result<std::optional<FieldRef>> field(const Type *type, std::string_view name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace awl
