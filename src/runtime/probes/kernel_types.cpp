#include "runtime/probes/kernel_types.h"

#include "runtime/types/btf.h"
#include "runtime/types/tracefs.h"

namespace awl {

void add_kernel_types(TypeStore &store, const ProbeRoots &roots) {
  store.add_source(make_tracefs_source(roots.tracefs));
  store.add_source(make_kernel_btf_source(roots.btf));
}

}  // namespace awl
