// The walk of user stacks over the tables of tables.h, compiled by clang for BPF when awl is built, and linked to the
// programs that ask for it (docs/unwinder.md).
//
// What the verifier must follow shapes it: all state that differs from frame to frame is in memory of a map, of which
// the verifier remembers nothing; a frame is one call of bpf_loop; searches have neither branches nor loops.
#include "runtime/unwind/walk.h"
#include "runtime/unwind/bpf_helpers.h"
#include "runtime/unwind/kernel_mappings.h"

using namespace awl::runtime::unwind;

namespace {

// --- Maps, in the form that libbpf reads

constexpr int lpm_trie = BPF_MAP_TYPE_LPM_TRIE, no_prealloc = BPF_F_NO_PREALLOC, hash = BPF_MAP_TYPE_HASH,
              array = BPF_MAP_TYPE_ARRAY, array_of_maps = BPF_MAP_TYPE_ARRAY_OF_MAPS,
              inner_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE;

}  // namespace

extern "C" {

struct {
  int (*type)[lpm_trie];
  int (*key_size)[sizeof(MappingKey)];
  int (*value_size)[sizeof(Mapping)];
  int (*max_entries)[max_mappings];
  int (*map_flags)[no_prealloc];
} awl_unwind_maps [[gnu::section(".maps"), gnu::used]];

struct {
  int (*type)[array_of_maps];
  int (*key_size)[4];
  int (*max_entries)[max_files];
  struct {
    int (*type)[array];
    int (*key_size)[4];
    int (*value_size)[block_size];
    int (*max_entries)[1];
    int (*map_flags)[inner_flags];
  } *values[];
} awl_unwind_files [[gnu::section(".maps"), gnu::used]];

struct {
  int (*type)[hash];
  int (*key_size)[4];
  int (*value_size)[sizeof(KeptStack)];
  int (*max_entries)[max_stacks];
  int (*map_flags)[no_prealloc];
} awl_unwind_stacks [[gnu::section(".maps"), gnu::used]];

const volatile KernelLayout awl_unwind_kernel{};

}  // extern "C"

namespace {

// --- Searches

// Index of the last element of a sorted table whose address is not greater than `address`, 0 if there is none. The
// number of elements is a power of two.
template <uint32_t Elements, class Element>
uint64_t last_not_after(const Element *table, uint64_t address) {
  uint64_t found = 0;
#pragma unroll
  for (uint32_t step = Elements / 2; step > 0; step /= 2) {
    const uint64_t there = *reinterpret_cast<const uint32_t *>(&table[opaque(found + step) & (Elements - 1)]);
    // The difference of those two is negative, and its sign a mask, if the element is not behind the address.
    found += step & static_cast<uint64_t>(static_cast<int64_t>(opaque(there - (address + 1))) >> 63);
  }
  return opaque(found) & (Elements - 1);
}

bool find_mapping(Walk *walk, uint64_t address) {
  if (address >= walk->mapping.start && address < walk->mapping.end) return true;
  const MappingKey key{96, __builtin_bswap32(static_cast<uint32_t>(walk->process)), __builtin_bswap64(address)};
  const auto *found = static_cast<const Mapping *>(lookup(&awl_unwind_maps, &key));
  walk->block_start = 1;
  walk->block_end = 0;
  // A prefix may reach beyond its mapping.
  if (!found || address < found->start || address >= found->end) return ask_kernel(walk, address);
  walk->mapping = *found;
  return true;
}

struct Rule {
  Cfa cfa = Cfa::Unknown;
  int64_t saved_rbp = 0, offset = 0;  // bytes
};

Rule rule_at(Walk *walk, uint64_t place) {
  Rule none;
  if (!find_mapping(walk, place)) return none;
  const uint64_t address = place - walk->mapping.bias;
  if (address >= no_address) return none;
  void *blocks = lookup(&awl_unwind_files, &walk->mapping.file);
  if (!blocks) return none;
  if (address < walk->block_start || address >= walk->block_end) {
    const uint32_t first = 0;
    const auto *index = static_cast<const uint32_t *>(lookup(blocks, &first));
    if (!index) return none;
    const uint64_t at = last_not_after<blocks_per_file>(index, address);
    walk->block = at + 1;
    walk->block_start = index[at];
    walk->block_end = index[(at + 1) & (blocks_per_file - 1)];
    // Behind the last element comes the first.
    if (walk->block_end <= walk->block_start) walk->block_end = no_address;
    if (address < walk->block_start) return none;
  }
  const auto block = static_cast<uint32_t>(walk->block);
  const auto *rows = static_cast<const Row *>(lookup(blocks, &block));
  if (!rows) return none;
  const uint64_t row = *reinterpret_cast<const uint64_t *>(&rows[last_not_after<rows_per_block>(rows, address)]);
  return {static_cast<Cfa>(row >> 32 & 0xff), static_cast<int8_t>(row >> 40) * 8LL,
          static_cast<int64_t>(row) >> 48 << 3};
}

// --- Steps from a frame to its caller

enum class Step : uint8_t { Found, Outermost, Lost };

Step by_frame_pointer(Walk *walk) {
  struct {
    uint64_t rbp, rip;
  } saved;
  const uint64_t before = walk->by_frame_pointer;
  walk->by_frame_pointer = 1;
  // What follows frame pointers ends with 0; what does not may have 0 in the register by chance.
  if (walk->rbp == 0 && before) return Step::Outermost;
  if (walk->rbp < walk->rsp || walk->rbp & 7 || !read_user(&saved, sizeof(saved), walk->rbp)) return Step::Lost;
  // What cannot be an address of code did not come from a frame pointer; nothing is mapped at the lowest 64 KB.
  constexpr int user_address_bits = 47;
  if (saved.rip >> user_address_bits || (saved.rip && saved.rip < 0x10000)) return Step::Lost;
  walk->rsp = walk->rbp + sizeof(saved);
  walk->rbp = saved.rbp;
  walk->rip = saved.rip;
  return saved.rip ? Step::Found : Step::Outermost;
}

// The kernel's frame of a signal, struct rt_sigframe: at rsp is the ucontext, since the handler's return took what
// stands in front of it.
Step to_interrupted(Walk *walk) {
  constexpr uint64_t mcontext = 40;  // in struct ucontext
  struct {
    uint64_t rbp, rbx, rdx, rax, rcx, rsp, rip;
  } registers;  // struct sigcontext from its sixteenth word
  if (!read_user(&registers, sizeof(registers), walk->rsp + mcontext + 10 * 8)) return Step::Lost;
  walk->rip = registers.rip;
  walk->rsp = registers.rsp;
  walk->rbp = registers.rbp;
  walk->exact = 1;
  return Step::Found;
}

Step to_caller(Walk *walk) {
  const uint64_t exact = walk->exact;
  walk->exact = 0;
  // A call may be the last instruction of its function, so a return address counts to what is before it.
  const Rule rule = rule_at(walk, walk->rip - 1 + exact);
  uint64_t cfa = walk->rsp + rule.offset;
  switch (rule.cfa) {
    case Cfa::Unknown: return walk->replaced ? Step::Outermost : by_frame_pointer(walk);
    case Cfa::End: return Step::Outermost;
    case Cfa::Signal: return to_interrupted(walk);
    case Cfa::Rsp: break;
    case Cfa::Rbp: cfa = walk->rbp + rule.offset; break;
    case Cfa::RbpIndirect:
      if (!read_user(&cfa, sizeof(cfa), walk->rbp + rule.offset)) return Step::Lost;
      if (!read_user(&walk->rbp, sizeof(walk->rbp), walk->rbp)) return Step::Lost;
      break;
    case Cfa::Plt: cfa = walk->rsp + 8 + ((walk->rip & 15) >= 11 ? 8 : 0); break;
  }
  walk->by_frame_pointer = 0;
  if (cfa <= walk->rsp) return Step::Lost;
  struct {
    uint64_t rbp, rip;
  } saved;
  if (rule.saved_rbp == -16) {
    // Saved next to the return address, as by all functions that have a frame pointer: one read for both.
    if (!read_user(&saved, sizeof(saved), cfa - sizeof(saved))) return Step::Lost;
    walk->rbp = saved.rbp;
  } else {
    if (!read_user(&saved.rip, sizeof(saved.rip), cfa - sizeof(saved.rip))) return Step::Lost;
    if (rule.saved_rbp && !read_user(&walk->rbp, sizeof(walk->rbp), cfa + rule.saved_rbp)) return Step::Lost;
  }
  walk->rsp = cfa;
  walk->rip = saved.rip;
  return saved.rip ? Step::Found : Step::Outermost;
}

// The address to which a function returns that a uretprobe watches, where its trampoline stands on the stack.
void undo_uretprobe(Walk *walk) {
  constexpr int most = 4;  // of functions that were left by longjmp
  uint64_t instance = walk->return_instance;
  if (instance == 0) {
    const auto task = helper<uint64_t (*)()>(BPF_FUNC_get_current_task)();
    uint64_t uprobes = 0;
    if (!read_kernel(&uprobes, task + awl_unwind_kernel.task_uprobes) || uprobes == 0) return;
    if (!read_kernel(&instance, uprobes + awl_unwind_kernel.instances)) return;
  }
#pragma unroll
  for (int i = 0; i < most; i++) {
    uint64_t stack = 0, address = 0, next = 0;
    if (instance == 0 || !read_kernel(&stack, instance + awl_unwind_kernel.stack) ||
        !read_kernel(&next, instance + awl_unwind_kernel.next))
      return;
    if (stack == walk->rsp - 8) {
      if (read_kernel(&address, instance + awl_unwind_kernel.return_address)) walk->rip = address;
      walk->return_instance = next;
      return;
    }
    instance = next;
  }
}

struct Turn {
  Walk *walk;
};

// One turn of bpf_loop, 0: go on. BTF wants a name for each parameter.
int64_t take_frame([[maybe_unused]] uint64_t index, Turn *turn) {
  Walk *walk = turn->walk;
  // The trampoline is at the beginning of a page, where hardly any call returns to.
  if (awl_unwind_kernel.task_uprobes != 0 && !walk->exact && (walk->rip & 4095) == 0) undo_uretprobe(walk);
  const uint64_t rip = walk->rip;
  walk->stack.frames[walk->stack.count & max_frames] = rip;
  walk->stack.count++;
  walk->stack.hash = (walk->stack.hash ^ rip) * 0x9e3779b97f4a7c15;
  walk->stack.hash ^= walk->stack.hash >> 29;
  if (walk->stack.count >= walk->limit) return 1;
  const Step step = to_caller(walk);
  if (step == Step::Lost) walk->outcome = walk_cut;
  return step != Step::Found;
}

// --- From the registers to a key

// The registers of the process, as they were when it entered the kernel, or stands now, if it was interrupted in its
// own code: in either case the entry code left them at the top of the kernel stack.
bool start(Walk *walk) {
  task_struct *task = current_task();
  // What is ending has given its memory back.
  uint64_t mm = 1;
  if (awl_unwind_kernel.mm_tree != 0) read_kernel(&mm, reinterpret_cast<uint64_t>(task) + awl_unwind_kernel.task_mm);
  if (mm == 0) return false;
  const auto registers = helper<const volatile uint64_t *(*)(task_struct *)>(BPF_FUNC_task_pt_regs)(task);
  constexpr int rbp = 4, rip = 16, cs = 17, rsp = 19;           // words of struct pt_regs
  constexpr uint64_t user_code_64 = 0x33, user_code_32 = 0x23;  // __USER_CS, __USER32_CS; kernel threads have neither
  const uint64_t segment = registers[cs] & 0xffff;
  if (segment != user_code_64 && segment != user_code_32) return false;
  walk->rip = registers[rip];
  walk->rsp = registers[rsp];
  walk->rbp = registers[rbp];
  // Of a 32-bit program there are no tables, and its stack has other words.
  if (segment == user_code_32) {
    walk->limit = 1;
    walk->outcome = walk_cut;
  }
  return walk->rip != 0;
}

// Stacks of equal keys are told apart by their hashes; the second one gets a key that is a function of the first.
int64_t keep(const Walk *walk) {
  constexpr int64_t exists = -17, full = -7;
  const uint64_t hash = walk->stack.hash;
  uint32_t key = static_cast<uint32_t>(hash >> 34) | walked_bit;
#pragma unroll
  for (int attempt = 0; attempt < 3; attempt++) {
    const auto *known = static_cast<const KeptStack *>(lookup(&awl_unwind_stacks, &key));
    if (!known) {
      const int64_t error = insert(&awl_unwind_stacks, &key, &walk->stack);
      if (error == 0) return key;
      if (error != exists) return error == full ? -12 : error;
      known = static_cast<const KeptStack *>(lookup(&awl_unwind_stacks, &key));
    }
    if (known && known->hash == hash) return key;
    key = (key * 5 + 1) % walked_bit | walked_bit;
  }
  return exists;
}

}  // namespace

extern "C" [[gnu::visibility("hidden"), gnu::noinline]] int64_t awl_unwind(void *memory, int64_t process, int64_t limit,
                                                                           int64_t keeps) {
  Walk *walk = static_cast<Walk *>(memory);
  walk->process = process;
  walk->stack.hash = 0;
  walk->stack.count = 0;
  walk->limit = limit;
  walk->exact = 1;
  walk->outcome = walk_complete;
  walk->by_frame_pointer = 0;
  walk->return_instance = 0;
  walk->replaced = 0;
  walk->mapping.start = 1;
  walk->mapping.end = 0;
  if (!start(walk)) return -14;
  Turn turn{walk};
  helper<int64_t (*)(uint32_t, int64_t (*)(uint64_t, Turn *), void *, uint64_t)>(BPF_FUNC_loop)(max_frames, take_frame,
                                                                                                &turn, 0);
  const int64_t result = keeps ? keep(walk) : static_cast<int64_t>(walk->stack.count);
  if (result >= 0 && walk->outcome == walk_cut) return result | static_cast<int64_t>(cut_bit);
  return result;
}
