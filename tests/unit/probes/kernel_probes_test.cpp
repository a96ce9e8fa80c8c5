// tracepoint and kprobe against a made-up kernel.
#include <gtest/gtest.h>
#include <linux/btf.h>

#include "runtime/probes/kernel_functions.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/provider.h"
#include "runtime/probes/renamed_functions.h"
#include "unit/probes/fake_roots.h"

namespace awl {
namespace {

using testing::expanded;
using testing::FakeRoots;
using testing::shown;

class TracepointTest : public ::testing::Test {
 protected:
  TracepointTest() {
    roots.event("sched", "sched_switch",
                "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\tfield:pid_t "
                "prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n");
    roots.event("sched", "sched_wakeup");
    roots.event("syscalls", "sys_enter_openat", "\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n");
    roots.event("syscalls", "sys_enter_open");
    roots.event("ftrace", "function");
  }
  FakeRoots roots;
};

TEST_F(TracepointTest, Expands) {
  EXPECT_EQ(expanded("tracepoint:sched:sched_switch", roots.env), "tracepoint:sched:sched_switch");
  EXPECT_EQ(expanded("t:sched:*", roots.env), "tracepoint:sched:sched_switch tracepoint:sched:sched_wakeup");
  EXPECT_EQ(expanded("t:*:sys_enter_open*", roots.env),
            "tracepoint:syscalls:sys_enter_open tracepoint:syscalls:sys_enter_openat");
  EXPECT_EQ(expanded("t:*wakeup", roots.env), "tracepoint:sched:sched_wakeup");
}

TEST_F(TracepointTest, NotFound) {
  EXPECT_EQ(expanded("t:sched:sched_swich", roots.env),
            "error: no tracepoint `sched:sched_swich` | did you mean `sched:sched_switch`?");
  EXPECT_EQ(expanded("t:shed:sched_switch", roots.env),
            "error: no tracepoint `shed:sched_switch` | did you mean `sched:sched_switch`?");
  EXPECT_EQ(expanded("t:syscall:sys_enter_nothing", roots.env),
            "error: no tracepoint `syscall:sys_enter_nothing`: no category `syscall` | did you mean the category "
            "`syscalls`?");
  EXPECT_EQ(
      expanded("t:unheard_of:x", roots.env),
      "error: no tracepoint `unheard_of:x`: no category `unheard_of` | the kernel lacks it, or has it in a module "
      "that is not loaded");
  EXPECT_EQ(expanded("t:nothing*", roots.env), "error: no tracepoint matches `*:nothing*`");
  EXPECT_TRUE(expanded("t:ftrace:function", roots.env).starts_with("error: no tracepoint `ftrace:function`"));
  EXPECT_TRUE(expanded("t:../sched:x", roots.env).starts_with("error: "));
  roots.env.roots.tracefs = "/no/such/folder";
  EXPECT_TRUE(expanded("t:sched:sched_switch", roots.env).starts_with("error: cannot read `/no/such/folder/events`"));
}

TEST_F(TracepointTest, Lists) {
  EXPECT_EQ(shown(list_probes("tracepoint:sched:*", false, roots.env)),
            "tracepoint:sched:sched_switch tracepoint:sched:sched_wakeup");
  EXPECT_EQ(shown(list_probes("tracepoint:sched:sched_switch", true, roots.env)),
            "tracepoint:sched:sched_switch\n    char prev_comm[16]\n    pid_t prev_pid");
  EXPECT_EQ(shown(list_probes("watchpoint:*", false, roots.env)),
            "watchpoint:ADDRESS|[BINARY:]FUNCTION+argN:LENGTH:MODE");
  EXPECT_EQ(shown(list_probes("begin", false, roots.env)), "begin");
  EXPECT_EQ(shown(list_probes("*openat*", true, roots.env)),
            "tracepoint:syscalls:sys_enter_openat\n    const char * filename");
  EXPECT_EQ(shown(list_probes("t*:sched:*switch", false, roots.env)), "tracepoint:sched:sched_switch");
  const size_t counters =
      list_probes("software:*", false, roots.env)->size() + list_probes("hardware:*", false, roots.env)->size();
  EXPECT_GT(counters, 20u);
  EXPECT_EQ(list_probes("", false, roots.env)->size(), 4u + counters);
  EXPECT_EQ(list_probes("*:*", false, roots.env)->size(), 4u + counters);
  EXPECT_EQ(list_probes("tracepoint", false, roots.env)->size(), 4u);
  EXPECT_EQ(shown(list_probes("iter:*", false, roots.env)), "");  // this kernel has no BTF
}

TEST_F(TracepointTest, Context) {
  const Provider *provider = find_provider("tracepoint");
  auto target = parse_attach_point("tracepoint:syscalls:sys_enter_openat", roots.env);
  auto context = provider->context(*target, false, roots.env);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->prog_type, ProgType::Tracepoint);
  EXPECT_EQ(context->arg_space, AddressSpace::User);
  EXPECT_TRUE(context->filter_pid);
  EXPECT_FALSE(context->has_regs);
  EXPECT_EQ(context->args_reach, ArgReach::None);
}

class KprobeTest : public ::testing::Test {
 protected:
  KprobeTest() {
    roots.write("proc/kallsyms",
                "ffffffff81000000 T _text\nffffffff81000100 T vfs_read\nffffffff81000200 T vfs_readv\nffffffff81000300 "
                "t vfs_read.cold\n"
                "ffffffff81000400 t __pfx_vfs_read\nffffffff81000500 d vfs_read_data\nffffffff81000600 T vfs_refused\n"
                "ffffffff82000000 T _sinittext\nffffffff82000100 t vfs_read_init\nffffffff82001000 T _einittext\n"
                "ffffffffc0000000 t ovl_read\t[overlay]\nffffffffc0000100 t vfs_read_mod\t[overlay]\n");
    roots.write("sys/kernel/debug/kprobes/blacklist", "0xffffffff81000600-0xffffffff81000700\tvfs_refused\n");
    roots.write("sys/bus/event_source/devices/kprobe/type", "6\n");
    roots.write("sys/bus/event_source/devices/kprobe/format/retprobe", "config:0\n");
  }
  FakeRoots roots;
};

TEST_F(KprobeTest, ExpandsFromKallsyms) {
  EXPECT_EQ(expanded("k:vfs_read", roots.env), "kprobe:vfs_read");
  EXPECT_EQ(expanded("k:vfs_re*", roots.env), "kprobe:vfs_read kprobe:vfs_read_mod kprobe:vfs_readv");
  EXPECT_EQ(expanded("kr:vfs_readv", roots.env), "kretprobe:vfs_readv");
  EXPECT_EQ(expanded("k:overlay:*", roots.env), "kprobe:overlay:ovl_read kprobe:overlay:vfs_read_mod");
  EXPECT_EQ(expanded("k:vmlinux:vfs_read*", roots.env), "kprobe:vmlinux:vfs_read kprobe:vmlinux:vfs_readv");
  EXPECT_EQ(expanded("k:overlay:ovl_read", roots.env), "kprobe:overlay:ovl_read");
  EXPECT_EQ(expanded("k:vfs_read+4", roots.env), "kprobe:vfs_read+4");
}

TEST_F(KprobeTest, ExpandsFromFtrace) {
  roots.write("tracing/available_filter_functions",
              "vfs_read\nvfs_write\novl_read [overlay]\n__ftrace_invalid_address___5\n");
  EXPECT_EQ(expanded("k:*", roots.env), "kprobe:ovl_read kprobe:vfs_read kprobe:vfs_write");
  EXPECT_EQ(expanded("k:overlay:*", roots.env), "kprobe:overlay:ovl_read");
}

TEST(KernelFunctionHint, OtherSpellingsComeFirst) {
  const std::vector<std::string> functions = {"__x64_sys_openat",  "do_sys_openat2",         "schedule_idle",
                                              "schedule.isra.0",   "schedule.cold",          "kmem_cache_alloc_noprof",
                                              "kmem_cache_alloc_", "__blk_account_io_start", "block_start"};
  EXPECT_EQ(kernel_function_hint("sys_openat", functions), "this kernel has it as `__x64_sys_openat`");
  EXPECT_EQ(kernel_function_hint("SyS_openat", functions), "this kernel has it as `__x64_sys_openat`");
  EXPECT_EQ(kernel_function_hint("schedule", functions), "the compiler made `schedule.isra.0` of it");
  EXPECT_EQ(kernel_function_hint("schedule.constprop.3", functions), "the compiler made `schedule.isra.0` of it");
  EXPECT_EQ(kernel_function_hint("kmem_cache_alloc", functions), "this kernel has it as `kmem_cache_alloc_noprof`");
  EXPECT_EQ(kernel_function_hint("blk_account_io_start", functions), "this kernel has it as `__blk_account_io_start`");
  EXPECT_EQ(kernel_function_hint("do_sys_open", functions), "in this kernel `do_sys_openat2` does its work");
  EXPECT_EQ(kernel_function_hint("schedule_idel", functions), "did you mean `schedule_idle`?");
  const std::string_view lacking =
      "the kernel lacks it, has made it part of its callers, or has it in a module that is not loaded";
  EXPECT_EQ(kernel_function_hint("entirely_different", functions), lacking);
  EXPECT_EQ(kernel_function_hint("bk_start", functions), lacking);  // not `block_start`
  EXPECT_EQ(kernel_function_hint("blok_start", functions), "did you mean `block_start`?");
}

TEST(KernelFunctionHint, TracepointsOutliveFunctions) {
  EXPECT_EQ(kernel_function_hint("blk_account_io_done", {"vfs_read"}),
            "newer kernels have `tracepoint:block:block_io_done` for it");
}

TEST_F(KprobeTest, NotFound) {
  EXPECT_EQ(expanded("k:vfs_raed", roots.env), "error: no kernel function `vfs_raed` | did you mean `vfs_read`?");
  EXPECT_EQ(expanded("k:vfs_read_data", roots.env),
            "error: no kernel function `vfs_read_data` | did you mean `vfs_read_mod`?");
  EXPECT_EQ(expanded("k:overlay:ovl_raed", roots.env),
            "error: no kernel function `ovl_raed` in module `overlay` | did you mean `ovl_read`?");
  EXPECT_TRUE(expanded("k:nomod:f", roots.env).starts_with("error: no kernel module `nomod`"));
  EXPECT_EQ(expanded("k:zzz*", roots.env), "error: no kernel function matches `zzz*`");
}

TEST_F(KprobeTest, ExactNamesFromBtf) {
  // FUNC "do_it" and INT "not_it" in otherwise minimal BTF.
  std::string strings = std::string("\0do_it\0not_it\0", 14);
  struct {
    btf_type type;
    uint32_t encoding;
  } integer{{7, BTF_KIND_INT << 24, {4}}, 32};
  btf_type function{1, BTF_KIND_FUNC << 24, {1}};
  btf_header header{BTF_MAGIC,
                    BTF_VERSION,
                    0,
                    sizeof(header),
                    0,
                    sizeof(integer) + sizeof(function),
                    sizeof(integer) + sizeof(function),
                    static_cast<uint32_t>(strings.size())};
  std::string blob(reinterpret_cast<char *>(&header), sizeof(header));
  blob.append(reinterpret_cast<char *>(&integer), sizeof(integer))
      .append(reinterpret_cast<char *>(&function), sizeof(function));
  roots.env.roots.btf = roots.write("btf", blob + strings);
  EXPECT_EQ(kernel_function_exists("", "do_it", roots.env.roots).value(), true);
  EXPECT_EQ(kernel_function_exists("", "not_it", roots.env.roots).value(), false);
  EXPECT_EQ(kernel_function_exists("", "do_i", roots.env.roots).value(), false);
  EXPECT_EQ(kernel_function_exists("overlay", "do_it", roots.env.roots).value(), false);
  EXPECT_EQ(kernel_function_exists("", "ovl_read", roots.env.roots).value(), true);
}

TEST_F(KprobeTest, Lists) {
  EXPECT_EQ(shown(list_probes("kprobe:vfs_readv", false, roots.env)), "kprobe:vfs_readv");
  EXPECT_EQ(shown(list_probes("kretprobe:overlay:*", false, roots.env)),
            "kretprobe:overlay:ovl_read kretprobe:overlay:vfs_read_mod");
  EXPECT_EQ(shown(list_probes("*readv", false, roots.env)), "kprobe:vfs_readv");
  FakeRoots none;
  none.write("proc/kallsyms", "ffffffff81000100 T vfs_read\n");
  EXPECT_TRUE(shown(list_probes("kprobe:*", false, none.env)).starts_with("error: this kernel has no kprobes"));
  EXPECT_EQ(shown(list_probes("vfs_read", false, none.env)), "");
}

TEST_F(KprobeTest, Context) {
  auto context = find_provider("k")->context({}, false, roots.env);
  EXPECT_EQ(context->args_reach, ArgReach::Registers);
  EXPECT_GE(context->arg_count, 6u);
  EXPECT_TRUE(context->has_regs && context->has_func && context->filter_pid && !context->has_retval &&
              !context->user_code);
  auto at_return = find_provider("kr")->context({}, false, roots.env);
  EXPECT_TRUE(at_return->has_retval);
  EXPECT_EQ(at_return->arg_count, 0u);
}

TEST(PerfEvent, Pmus) {
  FakeRoots roots;
  EXPECT_FALSE(find_pmu("uprobe", roots.env.roots.sysfs).value());
  roots.write("sys/bus/event_source/devices/uprobe/type", "8\n");
  roots.write("sys/bus/event_source/devices/uprobe/format/retprobe", "config:0\n");
  roots.write("sys/bus/event_source/devices/uprobe/format/ref_ctr_offset", "config:32-63\n");
  auto pmu = find_pmu("uprobe", roots.env.roots.sysfs).value();
  ASSERT_TRUE(pmu);
  EXPECT_EQ(pmu->type, 8u);
  EXPECT_EQ(pmu->return_bit, 0u);
  EXPECT_EQ(pmu->semaphore_shift, 32u);
}

TEST(PerfEvent, OnlineCpus) {
  FakeRoots roots;
  roots.write("sys/devices/system/cpu/online", "0-2,5,8-9\n");
  EXPECT_EQ(online_cpus(roots.env.roots.sysfs), (std::vector<int>{0, 1, 2, 5, 8, 9}));
  EXPECT_EQ(online_cpus("/no/such/folder"), std::vector<int>{0});
}

}  // namespace
}  // namespace awl
