#include "runtime/probes/attach_point.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "unit/probes/fake_roots.h"

namespace awl {
namespace {

using testing::parsed;
using Parts = std::vector<std::string>;

TEST(AttachPoint, SplitsOutsideOfQuotes) {
  EXPECT_EQ(split_attach_point("k:vfs_read").value(), (Parts{"k", "vfs_read"}));
  EXPECT_EQ(split_attach_point("u:/bin/x:cpp:\"ns::f(int)\"").value(), (Parts{"u", "/bin/x", "cpp", "ns::f(int)"}));
  EXPECT_EQ(split_attach_point("u:\"/a b:c\":f").value(), (Parts{"u", "/a b:c", "f"}));
  EXPECT_EQ(split_attach_point("u:\"a\\\"b\":f").value(), (Parts{"u", "a\"b", "f"}));
  EXPECT_EQ(split_attach_point("begin").value(), (Parts{"begin"}));
  EXPECT_EQ(split_attach_point("usdt::x").value(), (Parts{"usdt", "", "x"}));
  EXPECT_FALSE(split_attach_point("u:\"x"));
}

TEST(AttachPoint, TextCanBeParsedAgain) {
  for (const char *text :
       {"begin", "end", "kprobe:vfs_read", "kprobe:ext4:ext4_read*", "kprobe:vfs_read+4", "kretprobe:vfs_read",
        "tracepoint:sched:sched_switch", "uprobe:/bin/bash:readline", "uprobe:/bin/bash:readline+0",
        "uprobe:/bin/bash:0x1234", "uprobe:/bin/x:cpp:\"ns::f(int, char)\"", "uretprobe:libc:malloc",
        "usdt:/usr/bin/python3:python:line", "usdt:\"/a b/c\":x", "profile:hz:99", "interval:s:1"}) {
    std::string once = parsed(text);
    EXPECT_EQ(parsed(once), once) << text;
    if (std::string(text) != "uprobe:/bin/bash:readline+0") {
      EXPECT_EQ(once, text);
    }
  }
}

TEST(AttachPoint, NamesHaveNoCaseAndAliases) {
  EXPECT_EQ(parsed("BEGIN"), "begin");
  EXPECT_EQ(parsed("END"), "end");
  EXPECT_EQ(parsed("K:vfs_read"), "kprobe:vfs_read");
  EXPECT_EQ(parsed("kr:vfs_read"), "kretprobe:vfs_read");
  EXPECT_EQ(parsed("Tracepoint:sched:sched_switch"), "tracepoint:sched:sched_switch");
  EXPECT_EQ(parsed("u:/bin/bash:readline"), "uprobe:/bin/bash:readline");
  EXPECT_EQ(parsed("ur:/bin/bash:readline"), "uretprobe:/bin/bash:readline");
  EXPECT_EQ(parsed("U:/bin/bash:p:m"), "usdt:/bin/bash:p:m");
  EXPECT_EQ(parsed("USDT:/bin/bash:m"), "usdt:/bin/bash:m");
  EXPECT_EQ(parsed("p:hz:99"), "profile:hz:99");
  EXPECT_EQ(parsed("i:s:1"), "interval:s:1");
}

TEST(AttachPoint, NoNameMeansTwoProviders) {
  std::set<std::string_view> names;
  for (const Provider *provider : all_providers()) {
    EXPECT_TRUE(names.insert(provider->name()).second) << provider->name();
    for (std::string_view alias : provider->aliases()) EXPECT_TRUE(names.insert(alias).second) << alias;
    EXPECT_FALSE(provider->doc().empty());
    EXPECT_TRUE(provider->syntax().starts_with(provider->name()));
    EXPECT_EQ(find_provider(provider->name()), provider);
  }
}

TEST(AttachPoint, UnknownProviders) {
  EXPECT_EQ(parsed("kprob:vfs_read"), "error: no provider `kprob` | did you mean `kprobe`?");
  EXPECT_EQ(parsed("iter:task:pin"), "iter:task:/sys/fs/bpf/pin");
  EXPECT_EQ(parsed("iter:task:/mnt/pin"), "iter:task:/mnt/pin");
  EXPECT_EQ(parsed("iter:task*:pin"),
            "error: several iterators cannot be pinned to one file | name one: `awl -l 'iter:*'`");
  EXPECT_EQ(parsed("zzzzzz:x"), "error: no provider `zzzzzz`");
}

TEST(AttachPoint, Counters) {
  EXPECT_EQ(parsed("software:page-faults:1"), "software:page-faults:1");
  EXPECT_EQ(parsed("s:cs"), "software:cs:1000");
  EXPECT_EQ(parsed("hardware:cycles:"), "hardware:cycles:1000000");
  EXPECT_EQ(parsed("h:branch-misses:7"), "hardware:branch-misses:7");
  EXPECT_EQ(parsed("s:cpu-clok"), "error: no software event `cpu-clok` | did you mean `cpu-clock`?");
  EXPECT_EQ(parsed("s:cs:0"), "error: `0` is not a number of events | write `software:EVENT[:COUNT]`");
  EXPECT_EQ(parsed("s:cs:x"), "error: `x` is not a number of events | write `software:EVENT[:COUNT]`");
}

TEST(AttachPoint, Watchpoints) {
  EXPECT_EQ(parsed("w:0x1000:8:rw"), "watchpoint:0x1000:8:rw");
  EXPECT_EQ(parsed("watchpoint:4096:1:w"), "watchpoint:0x1000:1:w");
  EXPECT_EQ(parsed("w:0x1001:8:w"),
            "error: 0x1001 is not a multiple of 8 | the processor watches aligned addresses only");
  EXPECT_EQ(parsed("w:0x1000:3:w"), "error: cannot watch `3` bytes | the length is 1, 2, 4 or 8");
  EXPECT_EQ(parsed("w:0x1000:8:q"), "error: `q` is not a mode | modes are r, w, x and rw");
  EXPECT_EQ(parsed("w:0x1000:8:ww"), "error: `ww` is not a mode | modes are r, w, x and rw");
  EXPECT_EQ(parsed("w:main+arg1:8:w"), "watchpoint:main+arg1:8:w");
  EXPECT_EQ(parsed("aw:0x1000:8:w"), "asyncwatchpoint:0x1000:8:w");
  EXPECT_EQ(parsed("aw:main+arg1:8:w"), "asyncwatchpoint:main+arg1:8:w");
  EXPECT_EQ(
      parsed("w:main:arg1"),
      "error: `watchpoint` does not take 2 parts | write `watchpoint:ADDRESS|[BINARY:]FUNCTION+argN:LENGTH:MODE`");
  EXPECT_EQ(parsed("w:main+arg9:8:w"), "error: arg9 of a function is on the stack | arg0 to arg5 can be watched");
  EXPECT_TRUE(parsed("w:main:8:w").starts_with("error: `main` is not an address"));
}

TEST(AttachPoint, TypedKernelProbes) {
  EXPECT_EQ(parsed("kfunc:vfs_read"), "fentry:vfs_read");
  EXPECT_EQ(parsed("kretfunc:overlay:ovl_read"), "fexit:overlay:ovl_read");
  EXPECT_EQ(parsed("rt:sched_switch"), "rawtracepoint:sched_switch");
  EXPECT_EQ(parsed("f:vfs_read+4"),
            "error: `fentry` takes no offset | use `kprobe` for an instruction inside the function");
  EXPECT_EQ(parsed("fexit:a:b:c"), "error: `fexit` does not take 3 parts | write `fexit:[MODULE:|bpf:[ID:]]FUNCTION`");
}

TEST(AttachPoint, WrongNumberOfPartsShowsTheSyntax) {
  EXPECT_EQ(parsed("tracepoint:sched"), "error: `tracepoint` does not take 1 part | write `tracepoint:CATEGORY:EVENT`");
  EXPECT_EQ(parsed("kprobe"), "error: `kprobe` needs a target | write `kprobe:[MODULE:]FUNCTION[+OFFSET]`");
  EXPECT_EQ(parsed("kprobe:a:b:c"),
            "error: `kprobe` does not take 3 parts | write `kprobe:[MODULE:]FUNCTION[+OFFSET]`");
  EXPECT_EQ(parsed("begin:x"), "error: `begin` does not take 1 part | write `begin`");
  EXPECT_TRUE(parsed("uprobe:readline").starts_with("error: `uprobe` needs a program or library"));
  EXPECT_TRUE(parsed("usdt:line").starts_with("error: `usdt` needs a program or library"));
}

TEST(AttachPoint, Places) {
  EXPECT_TRUE(parsed("kretprobe:f+4").starts_with("error: a kretprobe fires at the return"));
  EXPECT_TRUE(parsed("uretprobe:/bin/x:f+4").starts_with("error: a uretprobe fires at the return"));
  EXPECT_TRUE(parsed("kprobe:0xffffffff81000000").starts_with("error: probing a kernel address is dangerous"));
  ProbeEnvironment unsafe;
  unsafe.unsafe = true;
  EXPECT_EQ(parsed("kprobe:0xffffffff81000000", unsafe), "kprobe:0xffffffff81000000");
  EXPECT_EQ(parsed("kprobe:f+x"), "error: the offset `x` is not a number");
  EXPECT_EQ(parsed("kprobe:f*+4"), "error: a wildcard cannot have an offset");
  EXPECT_EQ(parsed("kprobe:12ab"), "error: `12ab` is neither a name nor a number");
  EXPECT_EQ(parsed("uprobe:/bin/x:f+0x10"), "uprobe:/bin/x:f+16");
  EXPECT_EQ(parsed("uprobe:/bin/x:cpp:ns::f"), "uprobe:/bin/x:cpp:\"ns::f\"");
}

TEST(AttachPoint, Timers) {
  EXPECT_EQ(parsed("profile:10ms"), "profile:ms:10");
  EXPECT_EQ(parsed("profile:99hz"), "profile:hz:99");
  EXPECT_EQ(parsed("interval:1500"), "interval:ns:1500");
  EXPECT_EQ(parsed("interval:2m"), "interval:s:120");
  EXPECT_EQ(parsed("interval:1_000us"), "interval:us:1000");
  EXPECT_EQ(parsed("interval:999"), "error: a period of 999 ns is too short | write `interval:s:999` for seconds");
  EXPECT_EQ(parsed("interval:999ns"), "error: a period of 999 ns is too short | it must be at least 1000 ns");
  EXPECT_EQ(parsed("profile:99"),
            "error: a period of 99 ns is too short | write `profile:hz:99` for so many times a second");
  EXPECT_EQ(parsed("interval:s:0"), "error: `interval` of 0 never fires");
  EXPECT_EQ(parsed("interval:fortnight:1"), "error: unknown unit `fortnight` | units are us, ms, s and hz");
  EXPECT_TRUE(parsed("interval:s:x").starts_with("error: `x` is not a whole number"));
  EXPECT_TRUE(parsed("interval:s:99999999999999").starts_with("error: `99999999999999` s is too long"));
  EXPECT_TRUE(parsed("profile").starts_with("error: `profile` needs a target"));
  EXPECT_EQ(testing::shown(list_probes("interval:*", false, {})), "interval:hz: interval:us: interval:ms: interval:s:");
}

}  // namespace
}  // namespace awl
