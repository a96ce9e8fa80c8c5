// Writes BPF instructions down, for small programs that are the same for every script.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <vector>

namespace awl {

inline bpf_insn instruction(uint8_t code, uint8_t dst, uint8_t src, int16_t offset, int32_t immediate) {
  bpf_insn out{};
  out.code = code;
  out.dst_reg = dst & 15;
  out.src_reg = src & 15;
  out.off = offset;
  out.imm = immediate;
  return out;
}

class Assembler {
 public:
  void move(uint8_t dst, uint8_t src) { add(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0); }
  void set(uint8_t dst, int32_t value) { add(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value); }
  void plus(uint8_t dst, int32_t value) { add(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value); }
  void multiply(uint8_t dst, int32_t value) { add(BPF_ALU64 | BPF_MUL | BPF_K, dst, 0, 0, value); }
  void add_to(uint8_t dst, uint8_t src) { add(BPF_ALU64 | BPF_ADD | BPF_X, dst, src, 0, 0); }
  void shift_right(uint8_t dst, int32_t bits) { add(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, bits); }
  void load32(uint8_t dst, uint8_t base, int16_t offset) { add(BPF_LDX | BPF_MEM | BPF_W, dst, base, offset, 0); }
  void load64(uint8_t dst, uint8_t base, int16_t offset) { add(BPF_LDX | BPF_MEM | BPF_DW, dst, base, offset, 0); }
  void store32(uint8_t base, int16_t offset, uint8_t src) { add(BPF_STX | BPF_MEM | BPF_W, base, src, offset, 0); }
  void store64(uint8_t base, int16_t offset, uint8_t src) { add(BPF_STX | BPF_MEM | BPF_DW, base, src, offset, 0); }
  void atomic_add(uint8_t base, int16_t offset, uint8_t src) {  // 64 bits
    add(BPF_STX | BPF_ATOMIC | BPF_DW, base, src, offset, BPF_ADD);
  }
  void store32_value(int16_t offset, int32_t value) { add(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, offset, value); }
  void call(int helper) { add(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
  void call_kernel(int btf_id) { add(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, btf_id); }
  void if_zero_skip(uint8_t reg, int16_t instructions) { add(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, instructions, 0); }
  void if_not_zero_skip(uint8_t reg, int16_t instructions) { add(BPF_JMP | BPF_JNE | BPF_K, reg, 0, instructions, 0); }
  void set64(uint8_t dst, uint64_t value) {
    add(BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, static_cast<int32_t>(value));
    add(0, 0, 0, 0, static_cast<int32_t>(value >> 32));
  }
  void map(uint8_t dst, int fd) {
    add(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
    add(0, 0, 0, 0, 0);
  }
  // Address of `offset` bytes into the element of an array that has one.
  void map_value(uint8_t dst, int fd, uint32_t offset) {
    add(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_VALUE, 0, fd);
    add(0, 0, 0, 0, static_cast<int32_t>(offset));
  }
  void atomic_add64(uint8_t base, int16_t offset, uint8_t src) {
    add(BPF_STX | BPF_ATOMIC | BPF_DW, base, src, offset, BPF_ADD);
  }
  void append(const Assembler &other) { code_.insert(code_.end(), other.code_.begin(), other.code_.end()); }
  void stack_address(uint8_t dst, int32_t offset) {
    move(dst, BPF_REG_10);
    plus(dst, offset);
  }
  void leave() {
    set(BPF_REG_0, 0);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  [[nodiscard]] const std::vector<bpf_insn> &code() const { return code_; }
  [[nodiscard]] size_t size() const { return code_.size(); }

 private:
  void add(uint8_t code, uint8_t dst, uint8_t src, int16_t offset, int32_t immediate) {
    code_.push_back(instruction(code, dst, src, offset, immediate));
  }
  std::vector<bpf_insn> code_;
};

}  // namespace awl
