// The wording of what only a failing kernel, a damaged Image or a defect of awl can cause; the rest stands in
// tests/golden and in the suite `diagnostics` of tests/runtime.
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
}

TEST(Messages, OfLoading) {
  EXPECT_EQ(text(diag::BadImage, "x"), "error[E0615]: the program's description is damaged: x\n");
}

TEST(Messages, OfTheRun) {
  EXPECT_EQ(text(diag::MapFailed, "@x", "gone"), "error[E0705]: map `@x`: gone\n");
  EXPECT_EQ(text(diag::RunFailed, "epoll_wait"), "error[E0706]: epoll_wait\n");
  EXPECT_EQ(text(diag::EventsSkipped, "3 events"),
            "warning[W0704]: 3 events skipped: a probe interrupted another too deeply\n");
  EXPECT_EQ(text(diag::NotFollowed, "3 tasks are", 65536),
            "warning[W0708]: 3 tasks are not followed, nor what is started there: more than 65536 tasks at a time\n");
  EXPECT_EQ(text(diag::NoUnwindTables, "x"), "warning[W0361]: user stacks are walked by frame pointers alone: x\n");
  EXPECT_EQ(text(diag::UnwindTablesLate), "warning[W0650]: the unwind tables of all processes are not made yet\n");
  EXPECT_EQ(text(diag::NoUnwindRows, "/bin/a", "x"), "warning[W0362]: stacks in `/bin/a` follow frame pointers: x\n");
}

TEST(Messages, OfTheCommandLine) {
  EXPECT_EQ(text(diag::CannotFormat, "x"), "error[E0801]: cannot lay the script out: x\n");
}

}  // namespace
}  // namespace awl
