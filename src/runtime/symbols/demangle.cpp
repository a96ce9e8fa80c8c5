#include <cxxabi.h>

#include <cstdlib>

#include "runtime/symbols/symbols.h"

namespace awl {

std::string demangle(std::string_view name) {
  std::string mangled(name);
  if (!mangled.starts_with("_Z")) return mangled;
  int status = 0;
  char *text = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
  if (!text) return mangled;
  std::string result = text;
  std::free(text);
  return result;
}

}  // namespace awl
