// The wording of what only a kernel that fails, or a defect of awl, can cause; the rest stands in tests/golden and in
// the suite `diagnostics` of tests/runtime.
#include <gtest/gtest.h>

#include "base/diagnostic.h"

namespace awl {
namespace {

template <class... Args, class... Given>
std::string text(const DiagKind<Args...> &kind, Given &&...given) {
  Diagnostics list;
  list.emit(kind, Span{}, std::forward<Given>(given)...);
  return render_text(list.all()[0], Source());
}

TEST(Messages, OfTheCompiler) {
  EXPECT_EQ(text(diag::CodegenFailed, "x"), "error[E0502]: internal error, code generation failed: x\n");
  EXPECT_EQ(
      text(diag::ScratchTooLarge, 40000U, 32768U),
      "error[E0503]: program needs 40000 bytes of memory for its values, more than the 32768 that one CPU can have\n");
}

TEST(Messages, OfLoadingAndAttaching) {
  EXPECT_EQ(text(diag::LockedDown, "confidentiality"),
            "error[E0602]: kernel lockdown (mode \"confidentiality\") forbids tracing\n");
  EXPECT_EQ(text(diag::Refused, "BPF"), "error[E0603]: the kernel refused: BPF\n");
  EXPECT_EQ(text(diag::NoTracefs, "not mounted"), "error[E0605]: no tracefs: not mounted\n");
  EXPECT_EQ(text(diag::LoadFailed, "no memory"), "error[E0608]: cannot load the program: no memory\n");
  EXPECT_EQ(text(diag::AttachFailed, "kprobe:x", "busy"), "error[E0609]: cannot attach `kprobe:x`: busy\n");
  EXPECT_EQ(text(diag::NothingAttached), "error[E0611]: no probe is attached\n");
  EXPECT_EQ(text(diag::BadImage, "x"), "error[E0615]: the program's description is damaged: x\n");
  EXPECT_EQ(text(diag::ProbeSkipped, "kprobe:x", "gone"), "warning[W0601]: skipped `kprobe:x`: gone\n");
}

TEST(Messages, OfTheRun) {
  EXPECT_EQ(text(diag::CommandNotRun, "ls", "no sh"), "error[E0704]: cannot run `ls`: no sh\n");
  EXPECT_EQ(text(diag::MapFailed, "@x", "gone"), "error[E0705]: map `@x`: gone\n");
  EXPECT_EQ(text(diag::RunFailed, "epoll_wait"), "error[E0706]: epoll_wait\n");
  EXPECT_EQ(text(diag::StacksLost, 3U), "warning[W0703]: 3 stacks lost: their map is full\n");
  EXPECT_EQ(text(diag::EventsSkipped, 3U),
            "warning[W0704]: 3 events skipped: a probe interrupted another too deeply\n");
  EXPECT_EQ(text(diag::EventsLost, 3U), "warning[W0705]: 3 events lost in all\n");
}

}  // namespace
}  // namespace awl
