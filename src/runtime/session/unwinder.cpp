#include "runtime/session/unwinder.h"

#include <chrono>

#include "runtime/session/signals.h"

namespace awl {

using namespace runtime::unwind;

ReturnOffsets return_offsets(TypeStore &store) {
  bool known = true;
  auto offset = [&](const char *type, const char *field) -> uint64_t {
    auto found = store.find(type);
    auto ref = found && *found ? store.field(**found, field) : Result<std::optional<FieldRef>>(std::nullopt);
    known = known && ref && *ref;
    return known ? (*ref)->offset : 0;
  };
  const ReturnOffsets out{offset("struct task_struct", "utask"), offset("struct uprobe_task", "return_instances"),
                          offset("struct return_instance", "orig_ret_vaddr"), offset("struct return_instance", "stack"),
                          offset("struct return_instance", "next")};
  return known ? out : ReturnOffsets{};
}

void Unwinder::start(const LoadedObject &object, const ProcessFilter &processes, int child, Diagnostics &diagnostics) {
  constexpr std::chrono::milliseconds kTurn(100);
  constexpr int kTurnsForAll = 20, kTurnsForChosen = 600;
  UnwindScope scope;
  for (const int pid : processes.pids) scope.first.push_back(static_cast<uint32_t>(pid));
  scope.only_first = !scope.first.empty();
  if (child != 0) scope.first.push_back(static_cast<uint32_t>(child));
  scope.children = processes.follow;
  Result<std::unique_ptr<UnwindTables>> tables =
      UnwindTables::start(object.map("awl_unwind_maps"), object.map("awl_unwind_files"), scope);
  if (!tables) {
    diagnostics.emit(diag::NoUnwindTables, Span{}, tables.error().message).with_hint(tables.error().hint);
    return;
  }
  tables_ = *std::move(tables);
  for (int left = scope.only_first ? kTurnsForChosen : kTurnsForAll; left > 0; left--)
    if (tables_->wait(kTurn) || Signals::stop_requested()) return;
  diagnostics.emit(diag::UnwindTablesLate, Span{})
      .with_hint("stacks follow frame pointers until they are; -p makes those of one process only");
}

void Unwinder::catch_up(int pid) const {
  constexpr std::chrono::seconds kLimit(60);
  if (tables_) tables_->catch_up(static_cast<uint32_t>(pid), kLimit, Signals::stop_requested);
}

void Unwinder::report(Diagnostics &diagnostics) {
  if (!tables_) return;
  for (const LeftOut &file : tables_->left_out())
    diagnostics.emit(diag::NoUnwindRows, Span{}, file.path.empty() ? "some programs" : file.path, file.reason);
}

}  // namespace awl
