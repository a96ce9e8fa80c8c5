// The running kernel's BTF: read without copying it into objects (one pass over the raw bytes), asked
// by name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/types/type_store.h"

namespace awl {

// Raw bytes of a BTF blob, mapped or read.
class BtfBlob {
 public:
  // /sys/kernel/btf/vmlinux by default: mmap where the kernel allows it (since 6.16), else read.
  static Result<std::shared_ptr<BtfBlob>> open(const std::string &path = "/sys/kernel/btf/vmlinux");
  static Result<std::shared_ptr<BtfBlob>> from_bytes(std::string bytes);
  virtual ~BtfBlob() = default;
  [[nodiscard]] virtual std::string_view bytes() const = 0;
};

// Source of kernel types (Origin::KernelBtf). Rejects malformed BTF with an error, never reads out of bounds: the
// frame at once, types when they are reached. `base` is the vmlinux source (from here, too) for the split BTF of a
// module and must outlive it.
Result<std::unique_ptr<TypeSource>> make_btf_source(std::shared_ptr<BtfBlob> blob, TypeSource *base = nullptr);

// The same over /sys/kernel/btf/vmlinux, which is opened when a type is first looked for. A kernel without BTF is a
// source that finds nothing.
std::unique_ptr<TypeSource> make_kernel_btf_source(const std::string &path = "/sys/kernel/btf/vmlinux");

// Prototype of a kernel function by name (for later typed probes); nullopt if the BTF has none.
struct FunctionPrototype {
  std::vector<std::pair<std::string, const Type *>> params;
  const Type *result = nullptr;
};
// `btf` is a source made by one of the two functions above.
Result<std::optional<FunctionPrototype>> btf_function(TypeStore &store, TypeSource &btf, std::string_view name);

// A struct that a program touches, and which of its fields (paths of names from the struct).
struct CoreStruct {
  std::string name;  // with keyword: "struct task_struct"; events: "tracepoint sched:sched_switch"
  std::vector<std::vector<std::string>> paths;
};

// The smallest BTF that libbpf needs as `btf_custom_path` to relocate accesses to `structs` on the kernel
// that `store`'s sources describe. Fields the kernel lacks are left out and listed in `missing`.
struct MinimalBtf {
  std::string bytes;
  std::vector<std::string> missing;  // "struct task_struct.no_such"
};
Result<MinimalBtf> make_minimal_btf(TypeStore &store, const std::vector<CoreStruct> &structs);

// Name of a struct in generated BTF: "task_struct"; for an event "awl_sched__sched_switch".
std::string btf_name(const Type *type);

}  // namespace awl
