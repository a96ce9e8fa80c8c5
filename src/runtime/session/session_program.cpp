#include "runtime/session/session_program.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/btf.h>

#include <memory>
#include <utility>

#include "runtime/session/bpf_assembler.h"
#include "runtime/session/libbpf_options.h"

namespace awl {

namespace {

constexpr uint32_t kEntry = 0, kReturn = 1;  // elements of the map

// Id of the function by which a program learns where it is.
int is_return_function() {
  const std::unique_ptr<btf, void (*)(btf *)> kernel(btf__load_vmlinux_btf(), btf__free);
  return kernel ? btf__find_by_name_kind(kernel.get(), "bpf_session_is_return", BTF_KIND_FUNC) : -ENOENT;
}

Assembler go_on_in(int map, uint32_t element) {
  Assembler code;
  code.move(BPF_REG_1, BPF_REG_6);
  code.map(BPF_REG_2, map);
  code.set(BPF_REG_3, static_cast<int32_t>(element));
  code.call(BPF_FUNC_tail_call);
  code.leave();
  return code;
}

Assembler dispatch(int map, int is_return) {
  Assembler code;
  const Assembler at_return = go_on_in(map, kReturn);
  code.move(BPF_REG_6, BPF_REG_1);
  code.call_kernel(is_return);  // with the context, which later kernels want
  code.if_zero_skip(BPF_REG_0, static_cast<int16_t>(at_return.size()));
  code.append(at_return);
  code.append(go_on_in(map, kEntry));
  return code;
}

}  // namespace

Result<SessionProgram> SessionProgram::make(int entry_fd, int return_fd, uint32_t attach_type) {
  const int is_return = is_return_function();
  if (is_return < 0) return fail_errno("find bpf_session_is_return", -is_return);
  SessionProgram made;
  made.map_ = Fd(bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "awl_session", 4, 4, 2, nullptr));
  if (!made.map_) return fail_errno("make a map of programs", -made.map_.get());
  for (const auto &[element, fd] : {std::pair(kEntry, entry_fd), std::pair(kReturn, return_fd)})
    if (const int error = bpf_map_update_elem(made.map_.get(), &element, &fd, BPF_ANY); error != 0)
      return fail_errno("name a program to go on in", -error);
  const Assembler code = dispatch(made.map_.get(), is_return);
  auto opts = libbpf_options<bpf_prog_load_opts>();
  opts.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
  made.program_ = Fd(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "awl_session", "GPL", code.code().data(), code.size(), &opts));
  if (!made.program_) return fail_errno("load the program of a session", -made.program_.get());
  return made;
}

}  // namespace awl
