// The BPF programs that the kernel has loaded, as targets of fentry and fexit: `fentry:bpf:[ID:]FUNCTION`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

constexpr std::string_view kBpfModule = "bpf";  // in the place of a kernel module's name

// A function of a loaded program: its entry, or one that it calls.
struct BpfFunction {
  uint32_t program = 0;  // id
  std::string name;      // as the program's BTF has it: not cut to 15 bytes
};

// All functions of loaded programs whose names match; `id` is a pattern, too, "" for all. In the order of their ids.
// Programs without BTF have none. Needs CAP_SYS_ADMIN.
Result<std::vector<BpfFunction>> bpf_functions(std::string_view id, std::string_view name);

// The one that is meant by an exact target. Errors: there is none, or several programs have one of this name.
Result<BpfFunction> find_bpf_function(const ProbeTarget &target);

// The struct behind `args` (Origin::Context): the parameters as the program's BTF has them, and with `with_result`
// "retval". Structs behind pointers are those of the kernel that stand behind what programs see: for `struct xdp_md *`
// it is a `struct xdp_buff *`.
Result<const Type *> bpf_function_record(const BpfFunction &function, bool with_result, TypeStore &types);

// A descriptor of the program, for the caller to close.
Result<int> open_bpf_program(uint32_t id);

}  // namespace awl
