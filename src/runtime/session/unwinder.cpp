#include "runtime/session/unwinder.h"

#include <chrono>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>

#include "runtime/session/signals.h"

namespace awl {

using namespace runtime::unwind;

namespace {

// Offsets of fields, 0 if one of them is not known.
class Offsets {
 public:
  explicit Offsets(TypeStore &store) : store_(store) {}

  // `path`: fields of fields.
  uint64_t of(const char *type, std::initializer_list<const char *> path) {
    uint64_t offset = 0;
    const auto found = store_.find(type);
    const Type *in = found ? found->value_or(nullptr) : nullptr;
    for (const char *field : path) {
      const auto ref = in ? store_.field(in, field) : Result<std::optional<FieldRef>>(std::nullopt);
      if (!ref || !*ref) {
        known_ = false;
        return 0;
      }
      offset += (*ref)->offset;
      in = (*ref)->type;
    }
    return offset;
  }
  // Whether all were known since the last call.
  bool all_known() { return std::exchange(known_, true); }

 private:
  TypeStore &store_;
  bool known_ = true;
};

// Whether nodes of the tree of mappings are as kernel_mappings.h reads them: by words, as they are since Linux 6.1.
bool tree_is_known(TypeStore &store) {
  constexpr uint64_t kPivots = 8, kSlots = 128, kSlotsWithGaps = 80, kMeta = 240;
  constexpr const char *kRange = "struct maple_range_64", *kAddresses = "struct maple_arange_64";
  Offsets offsets(store);
  const bool same = offsets.of(kRange, {"pivot"}) == kPivots && offsets.of(kRange, {"slot"}) == kSlots &&
                    offsets.of(kAddresses, {"pivot"}) == kPivots &&
                    offsets.of(kAddresses, {"slot"}) == kSlotsWithGaps && offsets.of(kAddresses, {"meta"}) == kMeta;
  return same && offsets.all_known();
}

}  // namespace

KernelLayout kernel_layout(TypeStore &store) {
  KernelLayout out{};
  Offsets offsets(store);
  out.task_uprobes = offsets.of("struct task_struct", {"utask"});
  out.instances = offsets.of("struct uprobe_task", {"return_instances"});
  out.return_address = offsets.of("struct return_instance", {"orig_ret_vaddr"});
  out.stack = offsets.of("struct return_instance", {"stack"});
  out.next = offsets.of("struct return_instance", {"next"});
  if (!offsets.all_known()) out = {};

  constexpr const char *kVma = "struct vm_area_struct", *kInode = "struct inode";
  out.task_mm = offsets.of("struct task_struct", {"mm"});
  out.mm_vdso = offsets.of("struct mm_struct", {"context", "vdso"});
  out.vma_start = offsets.of(kVma, {"vm_start"});
  out.vma_end = offsets.of(kVma, {"vm_end"});
  out.vma_page = offsets.of(kVma, {"vm_pgoff"});
  out.vma_file = offsets.of(kVma, {"vm_file"});
  out.vma_mm = offsets.of(kVma, {"vm_mm"});
  out.file_inode = offsets.of("struct file", {"f_inode"});
  out.inode_number = offsets.of(kInode, {"i_ino"});
  out.inode_size = offsets.of(kInode, {"i_size"});
  out.inode_superblock = offsets.of(kInode, {"i_sb"});
  out.superblock_device = offsets.of("struct super_block", {"s_dev"});
  out.dentry_inode = offsets.of("struct dentry", {"d_inode"});
  const uint64_t tree = offsets.of("struct mm_struct", {"mm_mt", "ma_root"});
  if (offsets.all_known() && tree_is_known(store)) out.mm_tree = tree;
  out.backing_dentry = offsets.of("struct backing_file", {"user_path", "dentry"});
  return out;
}

void Unwinder::start(const LoadedObject &object, const ProcessFilter &processes, int child, const AttachPlan &plan,
                     Diagnostics &diagnostics) {
  constexpr std::chrono::milliseconds kTurn(100);
  constexpr int kTurnsForAll = 20, kTurnsForChosen = 600;
  UnwindScope scope;
  for (const int pid : processes.pids) scope.first.push_back(static_cast<uint32_t>(pid));
  scope.only_first = !scope.first.empty();
  if (child != 0) scope.first.push_back(static_cast<uint32_t>(child));
  scope.children = processes.follow;
  std::set<std::string> files;
  for (const PlannedProbe &probe : plan.probes)
    if (probe.provider->in_user_code())
      for (const AttachPlace &place : probe.places) files.insert(place.target.scope);
  scope.files.assign(files.begin(), files.end());
  Result<std::unique_ptr<UnwindTables>> tables = UnwindTables::start(
      {object.map("awl_unwind_maps"), object.map("awl_unwind_files"), object.map("awl_unwind_inodes")}, scope);
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
