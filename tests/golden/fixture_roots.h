// The machine on which scripts of the tests are compiled: kernel types, tracepoints and symbols of
// tests/golden/fixture.
#pragma once

#include <string>

#include "runtime/probes/provider.h"

namespace awl {

inline ProbeRoots fixture_roots() {
  const std::string fixture = AWL_SOURCE_DIR "/tests/golden/fixture/";
  ProbeRoots out;
  out.tracefs = fixture + "tracefs";
  out.procfs = fixture + "proc";
  out.sysfs = fixture + "sys";
  out.btf = fixture + "fixture.btf";
  return out;
}

}  // namespace awl
