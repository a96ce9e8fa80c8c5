// Format files of tracepoints.
#include "runtime/types/tracefs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  using namespace awl;
  TypeStore store;
  std::string_view text(reinterpret_cast<const char *>(data), size);
  for (const char *event : {"syscalls:x", "a:b"}) {
    auto type = parse_tracefs_format(store, event, text);
    if (type) to_string(*type);
  }
  return 0;
}
