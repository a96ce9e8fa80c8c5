// The tables by which the programs walk user stacks, for the time of a run.
#pragma once

#include <memory>

#include "base/diagnostic.h"
#include "runtime/session/attach.h"
#include "runtime/session/loader.h"
#include "runtime/session/process_filter.h"
#include "runtime/types/type_store.h"
#include "runtime/unwind/unwind_tables.h"
#include "runtime/unwind/walk.h"

namespace awl {

// Of the running kernel; what it does not describe is 0.
runtime::unwind::KernelLayout kernel_layout(TypeStore &store);

class Unwinder {
 public:
  // Makes the tables of the object's maps: of the chosen processes to the end, of all of a machine for as long as a
  // user would wait, so that the first stack is complete already. `child`: the command of -c, 0 if there is none. The
  // files that probes of `plan` are in are read, too. Warns if there can be no tables; stacks follow frame pointers
  // then.
  void start(const LoadedObject &object, const ProcessFilter &processes, int child, const AttachPlan &plan,
             Diagnostics &diagnostics);
  // False: stacks follow frame pointers.
  [[nodiscard]] bool working() const { return tables_ != nullptr; }
  // Enters what the process maps now: when this returns, its stacks are whole.
  void catch_up(int pid) const;
  // Warns of files whose tables could not be used, since the last call.
  void report(Diagnostics &diagnostics);

 private:
  std::unique_ptr<runtime::unwind::UnwindTables> tables_;
};

}  // namespace awl
