// Everything that can be asked of a BTF blob.
#include "runtime/types/btf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  using namespace awl;
  TypeStore store;
  auto blob = BtfBlob::from_bytes(std::string(reinterpret_cast<const char *>(data), size));
  auto source = make_btf_source(*blob);
  if (!source) return 0;
  TypeSource *btf = source->get();
  store.add_source(std::move(*source));
  for (const std::string &name : btf->names()) {
    auto found = store.find(name);
    if (!found || !*found) continue;
    to_string(**found);
    (void)store.complete(**found);
    (void)store.field(**found, "x");
    (void)make_minimal_btf(store, {{name, {{"x"}, {"a", "b"}}}});
    (void)btf_function(store, *btf, name);
  }
  (void)store.enumerator("ONE");
  (void)btf_function(store, *btf, "f");
  return 0;
}
