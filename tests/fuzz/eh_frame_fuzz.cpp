// Unwinding tables: rows stay sorted and different, whatever the section holds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "runtime/unwind/eh_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  using namespace awl::runtime::unwind;
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  const auto rows = read_eh_frame({bytes, 0x2000, 0x1000}, 10000);
  if (!rows) return 0;
  if (rows->size() > 10000) abort();
  for (size_t i = 1; i < rows->size(); i++) {
    const Row &a = (*rows)[i - 1], &b = (*rows)[i];
    if (a.address >= b.address || b.address == no_address) abort();
    if (a.cfa == b.cfa && a.offset == b.offset && a.saved_rbp == b.saved_rbp) abort();
  }
  return 0;
}
