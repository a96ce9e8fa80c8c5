#include "runtime/session/verifier_log.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

// Logs as kernels wrote them, shortened.
constexpr const char *kLinux610 = R"(0: R1=ctx() R10=fp0
; struct task_struct *task = ctx->task; @ pid_iter.bpf.c:69
0: (79) r6 = *(u64 *)(r1 +8)          ; R1=ctx() R6_w=ptr_or_null_task_struct(id=1)
; struct file *file = ctx->file; @ pid_iter.bpf.c:68
80: (79) r3 = *(u64 *)(r8 +432)       ; R3_w=scalar() R8=ptr_file()
; if (link->type == bpf_core_enum_value(enum bpf_link_type___local, @ pid_iter.bpf.c:105
81: (61) r1 = *(u32 *)(r3 +12)
R3 invalid mem access 'scalar'
processed 39 insns (limit 1000000) max_states_per_insn 0 total_states 3 peak_states 3 mark_read 2
)";

constexpr const char *kLinux515 = R"(0: R1=ctx(id=0,off=0,imm=0) R10=fp0
; int socket_filter(struct __sk_buff *skb)
0: (bf) r6 = r1                       ; R1=ctx(id=0,off=0,imm=0) R6_w=ctx(id=0,off=0,imm=0)
1: (b7) r0 = 0                        ; R0_w=inv0
; uint8_t *tail = (uint8_t *)(long)skb->data_end;
2: (61) r2 = *(u32 *)(r6 +80)
invalid bpf_context access off=80 size=4
processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
)";

constexpr const char *kStack = R"(combined stack size of 4 calls is 544. Too large
verification time 1344153 usec
stack depth 24+440+0+32
processed 51008 insns (limit 1000000) max_states_per_insn 19 total_states 1467 peak_states 303 mark_read 146
)";

constexpr const char *kLoop = R"(0: R1=ctx() R10=fp0
; while (1) { @ x.bt:4
5: (05) goto pc-2
3: (07) r1 += 1
infinite loop detected at insn 4
cur state: R0=0 R1=ctx() R10=fp0
old state: R0=0 R1=ctx() R10=fp0
processed 10 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1
)";

TEST(VerifierLog, TakesTheLastComplaintAndItsPlace) {
  const VerifierReport report = parse_verifier_log(kLinux610);
  EXPECT_EQ(report.message, "R3 invalid mem access 'scalar'");
  EXPECT_EQ(report.insn, 81u);
  EXPECT_EQ(report.source_file, "pid_iter.bpf.c");
  EXPECT_EQ(report.source_line, 105u);
  EXPECT_EQ(report.source_text, "if (link->type == bpf_core_enum_value(enum bpf_link_type___local,");
}

TEST(VerifierLog, KernelsBefore610QuoteTheTextOnly) {
  const VerifierReport report = parse_verifier_log(kLinux515);
  EXPECT_EQ(report.message, "invalid bpf_context access off=80 size=4");
  EXPECT_EQ(report.insn, 2u);
  EXPECT_EQ(report.source_text, "uint8_t *tail = (uint8_t *)(long)skb->data_end;");
  EXPECT_FALSE(report.source_line.has_value());
}

TEST(VerifierLog, ComplaintsWithoutAnInstruction) {
  const VerifierReport report = parse_verifier_log(kStack);
  EXPECT_EQ(report.message, "combined stack size of 4 calls is 544. Too large");
  EXPECT_FALSE(report.insn.has_value());
  ASSERT_NE(verifier_hint(report.message), nullptr);
  EXPECT_NE(verifier_hint(report.message)->explanation.find("512 bytes"), std::string_view::npos);
}

TEST(VerifierLog, TheInstructionThatTheMessageNamesCounts) {
  const VerifierReport report = parse_verifier_log(kLoop);
  EXPECT_EQ(report.message, "infinite loop detected at insn 4");
  EXPECT_EQ(report.insn, 4u);
  EXPECT_FALSE(report.source_line.has_value());
}

TEST(VerifierLog, KnowsTheUsualMessages) {
  for (const char *message :
       {"BPF program is too large. Processed 1000001 insn", "back-edge from insn 5 to 3", "unknown func bpf_loop#181",
        "number of funcs in func_info doesn't match number of subprogs",
        "invalid write to stack R10 off=-520 size=8: invalid stack",
        "R2 min value is negative, either use unsigned or 'var &= const'",
        "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'",
        "program of this type cannot use helper bpf_get_stack#67",
        "failed to resolve CO-RE relocation <byte_off> [3] struct task_struct.nosuch (0:0 @ offset 0)"})
    EXPECT_NE(verifier_hint(message), nullptr) << message;
  EXPECT_EQ(verifier_hint("something nobody has ever seen"), nullptr);
}

TEST(VerifierLog, NothingThereNothingSaid) {
  EXPECT_EQ(parse_verifier_log("").message, "");
  EXPECT_EQ(parse_verifier_log("processed 3 insns (limit 1000000)\n").message, "");
  EXPECT_EQ(parse_verifier_log(";\n;@\n: (\n12:\n").message, ": (");
}

}  // namespace
}  // namespace awl
