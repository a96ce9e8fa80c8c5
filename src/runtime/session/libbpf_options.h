// Option structs of libbpf, zeroed and with their size set. LIBBPF_OPTS does the same by a designated initializer,
// which clang warns about.
#pragma once

#include <cstring>

namespace awl {

template <class Options>
Options libbpf_options() {
  Options options;
  std::memset(&options, 0, sizeof(options));  // padding too: libbpf checks that all bytes it does not know are zero
  options.sz = sizeof(options);
  return options;
}

}  // namespace awl
