#include "runtime/unwind/unwind_tables.h"

#include "runtime/unwind/tables.h"

namespace awl::runtime::unwind {

struct UnwindTables::Impl {};

UnwindTables::UnwindTables(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UnwindTables::~UnwindTables() = default;

Result<std::unique_ptr<UnwindTables>> UnwindTables::start(int, int, UnwindScope) {
  return fail("the tables of the unwinder are not made yet");
}
bool UnwindTables::wait(std::chrono::milliseconds) { return true; }
std::vector<LeftOut> UnwindTables::left_out() { return {}; }

}  // namespace awl::runtime::unwind
