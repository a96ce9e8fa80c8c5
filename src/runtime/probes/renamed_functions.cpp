#include "runtime/probes/renamed_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/diagnostic.h"

namespace awl {

namespace {

struct Renamed {
  std::string_view old;
  std::array<std::string_view, 3> now;  // the newest first; with a colon: a probe
};

// Functions that tools and books of 2018 to 2024 trace, and what does their work in later kernels.
constexpr Renamed kRenamed[] = {
    {"__alloc_pages_nodemask", {"__alloc_pages_noprof", "__alloc_pages"}},           // 5.13, 6.10
    {"__do_page_cache_readahead", {"page_cache_ra_unbounded", "do_page_cache_ra"}},  // 5.10
    {"__page_cache_alloc", {"filemap_alloc_folio_noprof", "filemap_alloc_folio"}},   // 5.16, 6.10
    {"_do_fork", {"kernel_clone"}},                                                  // 5.10
    {"account_page_dirtied", {"__folio_mark_dirty", "folio_account_dirtied"}},       // 5.16
    {"add_to_page_cache_lru", {"filemap_add_folio"}},                                // 5.16
    {"blk_account_io_completion", {"blk_account_io_done", "tracepoint:block:block_rq_complete"}},
    {"blk_account_io_done", {"__blk_account_io_done", "tracepoint:block:block_io_done"}},     // 5.16, 6.4
    {"blk_account_io_start", {"__blk_account_io_start", "tracepoint:block:block_io_start"}},  // 5.16, 6.4
    {"blk_start_request", {"blk_mq_start_request"}},                                          // 5.0
    {"dev_queue_xmit", {"__dev_queue_xmit"}},                                                 // 5.19: inline
    {"do_coredump", {"vfs_coredump"}},                                                        // 6.16
    {"do_fork", {"kernel_clone", "_do_fork"}},                                                // 4.2, 5.10
    {"do_sys_open", {"do_sys_openat2"}},                                                      // 5.6
    {"drop_slab_node", {"drop_slab"}},                                                        // inline
    {"generic_make_request", {"submit_bio_noacct"}},                                          // 5.9
    {"kfree_skb", {"sk_skb_reason_drop", "kfree_skb_reason", "tracepoint:skb:kfree_skb"}},    // 5.17, 6.11
    {"ktime_get_ts", {"ktime_get_ts64"}},
    {"mark_page_accessed", {"folio_mark_accessed"}},
    {"migrate_misplaced_page", {"migrate_misplaced_folio"}},  // 6.7
    {"new_sync_read", {"vfs_read"}},                          // often inline
    {"new_sync_write", {"vfs_write"}},
    {"page_cache_async_readahead", {"page_cache_async_ra"}},  // 5.10: inline
    {"page_cache_sync_readahead", {"page_cache_sync_ra"}},    // 5.10: inline
    {"set_page_dirty", {"folio_mark_dirty"}},
    {"swap_readpage", {"swap_read_folio"}},                                               // 6.5
    {"tcp_drop", {"tcp_drop_reason", "sk_skb_reason_drop", "tracepoint:skb:kfree_skb"}},  // 5.18
    {"ttwu_do_wakeup", {"ttwu_do_activate"}},                                             // 6.3
};

// `schedule` for `schedule.isra.0`
std::string_view without_suffix(std::string_view name) { return name.substr(0, name.find('.')); }

// `open` for `sys_open`, `SyS_open`, `__x64_sys_open`; "" for what is no system call.
std::string_view system_call(std::string_view name) {
  for (std::string_view prefix : {"sys_", "SyS_", "ksys_", "__se_sys_", "__do_sys_", "__x64_sys_", "__arm64_sys_"})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return {};
}

// Other spellings of one function, the likeliest first.
std::vector<std::string> spellings(std::string_view name) {
  const std::string plain(without_suffix(name));
  std::vector<std::string> out;
  if (std::string call(system_call(plain)); !call.empty())
#if defined(__x86_64__)
    out = {"__x64_sys_" + call, "ksys_" + call};
#else
    out = {"__arm64_sys_" + call, "ksys_" + call};
#endif
  for (const std::string &one : {plain, plain + "_noprof", "__" + plain, "__" + plain + "_noprof", "_" + plain})
    out.push_back(one);
  if (plain.starts_with("__")) out.push_back(plain.substr(2));
  return out;
}

// A copy that the compiler made, with arguments or parts removed. `x.cold` is what hardly ever runs of it.
std::string compiled_copy(std::string_view name, const std::vector<std::string> &functions) {
  auto is_copy = [&](const std::string &function) {
    return function.size() > name.size() && function[name.size()] == '.' && function.starts_with(name) &&
           !function.ends_with(".cold");
  };
  auto found = std::ranges::find_if(functions, is_copy);
  return found == functions.end() ? "" : *found;
}

// `vfs` of `vfs_read`, `__tcp` of `__tcp_push`
std::string first_word(std::string_view name) {
  return std::string(name.substr(0, name.find('_', name.find_first_not_of('_'))));
}

// Of thousands of names some are always near; what is meant begins alike.
bool is_alike(std::string_view name, std::string_view similar) {
  const std::string ours = first_word(name), theirs = first_word(similar);
  return ours == theirs || (ours.size() > 2 && !nearest(ours, {theirs}).empty());
}

}  // namespace

std::string kernel_function_hint(std::string_view name, const std::vector<std::string> &functions) {
  const std::unordered_set<std::string_view> known(functions.begin(), functions.end());
  for (const std::string &one : spellings(name)) {
    if (one == name) continue;
    if (known.contains(one)) return fmt::format("this kernel has it as `{}`", one);
  }
  if (std::string copy = compiled_copy(without_suffix(name), functions); !copy.empty())
    return fmt::format("the compiler made `{}` of it", copy);
  if (const auto *renamed = std::ranges::find(kRenamed, without_suffix(name), &Renamed::old);
      renamed != std::end(kRenamed)) {
    for (std::string_view now : renamed->now) {
      if (now.find(':') != std::string_view::npos) return fmt::format("newer kernels have `{}` for it", now);
      if (known.contains(now)) return fmt::format("in this kernel `{}` does its work", now);
    }
  }
  const std::string similar = nearest(name, functions);
  if (!similar.empty() && is_alike(name, similar)) return fmt::format("did you mean `{}`?", similar);
  return "the kernel lacks it, has made it part of its callers, or has it in a module that is not loaded";
}

}  // namespace awl
