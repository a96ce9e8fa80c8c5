// path(): from an entry up to the root of the process, over the roots of mounts, one name in front of the other. As
// bpf_d_path() does it, but by reading memory, so that every kind of probe can: the helper is for few functions only.
#include <linux/bpf.h>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

namespace {

constexpr uint32_t kMostSteps = 64;     // names and mounts on the way
constexpr uint32_t kLongestName = 255;  // NAME_MAX of the kernel

}  // namespace

// The text is written from the end of `buffer` to its front, and copied from where its first byte came to stand.
void FunctionEmitter::into_path(const PathText &value, Mem to) {
  const uint32_t size = value.type->size;
  Type word = *value.path->type, half = word;
  half.size = 4;
  auto read = [&](Val base, PathField which, const Type &type) {
    return read_scalar(Space::Kernel, relocated(code_.pointer(base, 8), value.fields[which]), &type);
  };
  auto offset_of = [&](Val base, PathField which) {
    return code_.address(relocated(code_.pointer(base, 8), value.fields[which]).pointer);
  };
  Val path = scalar(*value.path), root = scalar(*value.root);
  code_.from(value.span);
  code_.zero(to, size);
  Frame::Mark mark = frame_.mark();
  Mem buffer = frame_.take_far(size + kLongestName + 1);
  Mem entry = code_.local(8), mount = code_.local(8), position = code_.local(8);
  code_.store(entry, read(path, kPathDentry, word));
  code_.store(mount, read(path, kPathMount, word));
  code_.store(position, code_.number(size - 1));
  Val root_entry = read(root, kPathDentry, word), root_mount = read(root, kPathMount, word);

  // Both ways, over a name and over a mount, are computed and one is taken by a mask: the verifier would follow each
  // sequence of branches inside the loop apart.
  auto differ = [&](Val x, Val y) {  // 0 or 1
    Val changed = code_.opaque(code_.arith(Arith::Xor, x, y));
    return code_.shift_right(code_.arith(Arith::Or, changed, code_.sub(code_.number(0), changed)), 63);
  };
  auto choose = [&](Val mask, Val x, Val y) {
    Val others = code_.arith(Arith::And, y, code_.arith(Arith::Xor, mask, code_.number(~uint64_t{0})));
    return code_.arith(Arith::Or, code_.arith(Arith::And, x, mask), others);
  };
  Block done = code_.block("done"), nothing = code_.block("nothing"), walk = code_.block("walk");
  code_.branch(code_.truth(code_.load(entry, 8)), walk, nothing);
  code_.enter(walk);
  code_.repeat(kMostSteps, 1, [&](Val) {
    Val here = code_.load(entry, 8), on = code_.load(mount, 8);
    Val parent = read(here, kDentryParent, word), top = read(on, kMountRoot, word);
    Val self = code_.sub(on, offset_of(code_.number(0), kMountSelf));
    Val above = read(self, kMountParent, word), point = read(self, kMountPoint, word);
    // On top of a mount the way goes on from where it is mounted. The topmost mount is its own parent; an entry that is
    // its own parent without being a mount's root, such as a pipe, is nowhere.
    Val inside = differ(here, top);
    Val mask = code_.opaque(code_.sub(inside, code_.number(1)));
    Val going = code_.arith(Arith::Or, differ(here, root_entry), differ(on, root_mount));
    going = code_.arith(Arith::And, going, choose(mask, differ(above, self), differ(here, parent)));
    Block on_way = code_.block("on_way"), fits = code_.block("fits");
    code_.branch(code_.truth(code_.opaque(going)), on_way, done);
    code_.enter(on_way);
    Val length = code_.bit_and(choose(mask, code_.number(0), read(here, kDentryLength, half)), kLongestName);
    length = code_.opaque(length);
    Val bytes = code_.bit_and(code_.opaque(length), kLongestName);
    Val begin = code_.opaque(code_.sub(code_.sub(code_.load(position, 8), length), inside));
    code_.branch(code_.compare(Cmp::Less, false, begin, code_.number(size)), fits, done);  // else cut at the front
    code_.enter(fits);
    Mem front = code_.at(buffer, begin, 1);
    code_.store(front, code_.number('/'), 1);
    code_.call(BPF_FUNC_probe_read_kernel, {code_.at(front, 1).pointer, bytes, read(here, kDentryName, word)});
    code_.store(position, begin);
    code_.store(entry, choose(mask, point, parent));
    code_.store(mount, choose(mask, offset_of(above, kMountSelf), on));
  });
  code_.jump(done);
  code_.enter(done);
  code_.store(code_.at(buffer, size - 1), code_.number(0), 1);
  Val begin = code_.load(position, 8);
  auto copy_text = [&](Val text) {
    code_.call(BPF_FUNC_probe_read_kernel_str, {to.pointer, code_.number(size), text});
  };
  code_.if_else(
      code_.equal(begin, size - 1),
      [&] {
        Val here = code_.load(entry, 8);
        code_.if_else(
            code_.compare(Cmp::Equal, false, here, read(code_.load(mount, 8), kMountRoot, word)),
            [&] { code_.store(to, code_.number('/'), 1); },
            [&] { copy_text(read(read(read(here, kDentrySuper, word), kSuperType, word), kTypeName, word)); });
      },
      [&] { copy_text(code_.at(buffer, begin, 1).pointer); });
  code_.jump(nothing);
  code_.enter(nothing);
  frame_.release(mark);
}

}  // namespace awl::codegen
