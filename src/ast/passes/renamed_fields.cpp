#include "ast/passes/renamed_fields.h"

namespace awl::ast {

namespace {

struct Renamed {
  std::string_view owner, old, now;
};

// Fields that scripts since 2018 read. Where one moved more than once, the newest place comes first; the last ones are
// those that newer scripts miss in older kernels.
constexpr Renamed kRenamed[] = {
    {"struct bio", "bi_disk", "bi_bdev->bd_disk"},                // 5.12
    {"struct cfs_rq", "h_nr_running", "h_nr_queued"},             // 6.14
    {"struct cfs_rq", "nr_running", "nr_queued"},                 // 6.14
    {"struct cgroup", "id", "kn->id"},                            // 5.5
    {"struct dentry", "d_iname", "d_shortname.string"},           // 6.14
    {"struct inode", "i_atime", "i_atime_sec"},                   // 6.11
    {"struct inode", "i_atime", "__i_atime"},                     // 6.7
    {"struct inode", "i_ctime", "i_ctime_sec"},                   // 6.11
    {"struct inode", "i_ctime", "__i_ctime"},                     // 6.6
    {"struct inode", "i_mtime", "i_mtime_sec"},                   // 6.11
    {"struct inode", "i_mtime", "__i_mtime"},                     // 6.7
    {"struct iov_iter", "iov", "__iov"},                          // 6.4
    {"struct iov_iter", "type", "iter_type"},                     // 5.14
    {"struct kernfs_node", "parent", "__parent"},                 // 6.15
    {"struct mm_struct", "mmap_sem", "mmap_lock"},                // 5.8
    {"struct renamedata", "new_dir", "new_parent->d_inode"},      // 6.18
    {"struct renamedata", "old_dir", "old_parent->d_inode"},      // 6.18
    {"struct request", "rq_disk", "q->disk"},                     // 5.17
    {"struct task_struct", "cpu", "thread_info.cpu"},             // 5.16
    {"struct task_struct", "real_start_time", "start_boottime"},  // 5.5
    {"struct task_struct", "state", "__state"},                   // 5.14
    {"struct cfs_rq", "h_nr_queued", "h_nr_running"},
    {"struct cfs_rq", "nr_queued", "nr_running"},
    {"struct dentry", "d_shortname", "d_iname"},
    {"struct iov_iter", "__iov", "iov"},
    {"struct iov_iter", "iter_type", "type"},
    {"struct mm_struct", "mmap_lock", "mmap_sem"},
    {"struct task_struct", "__state", "state"},
};

}  // namespace

std::vector<std::string_view> renamed_field(std::string_view owner, std::string_view name) {
  std::vector<std::string_view> out;
  for (const Renamed &one : kRenamed)
    if (one.owner == owner && one.old == name) out.push_back(one.now);
  return out;
}

}  // namespace awl::ast
