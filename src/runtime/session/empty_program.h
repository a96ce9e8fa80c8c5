// The smallest program: return 0.
#pragma once

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "base/fd.h"
#include "runtime/session/bpf_assembler.h"
#include "runtime/session/libbpf_options.h"

namespace awl {

// Without a descriptor: -errno in its place. `attach_type` of enum bpf_attach_type, which later kernels extend.
inline Fd load_empty_program(bpf_prog_type type, uint32_t attach_type = 0) {
  Assembler code;
  code.leave();
  auto opts = libbpf_options<bpf_prog_load_opts>();
  opts.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
  return Fd(bpf_prog_load(type, "awl_empty", "GPL", code.code().data(), code.size(), &opts));
}

}  // namespace awl
