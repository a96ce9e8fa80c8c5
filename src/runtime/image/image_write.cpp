// An Image in a file, all numbers little-endian:
//
//   char magic[8]      "AWLIMAGE"
//   uint32 version     kImageVersion
//   uint32 checksum    CRC-32 of all that follows
//   uint64 size        bytes that follow
//   types              count, then each; a reference is 1 + index of an earlier type, 0 for none
//   manifest           members in the order of members.h; strings and vectors with their length in front
//   object             BPF ELF
#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <set>

#include "runtime/image/archive.h"
#include "runtime/image/format.h"
#include "runtime/image/image_file.h"
#include "runtime/image/members.h"

namespace awl {
namespace {

// Writes types in an order in which each stands behind those that it refers to. The runtime never follows a pointer
// into a struct, so that what is behind one is written by name alone; else a task_struct would drag in the kernel.
class TypeTable {
 public:
  uint32_t reference(const Type *type) { return add(type, false); }

  std::string finish() {
    Writer out;
    out.value(count_);
    return out.take() + writer_.bytes();
  }

 private:
  friend class ImageVisit;
  uint32_t add(const Type *type, bool by_name);

  Writer writer_;
  std::map<std::pair<const Type *, bool>, uint32_t> known_;
  std::set<const Type *> open_;  // being written: malformed type information may make a struct its own member
  uint32_t count_ = 0;
};

// Writes members; types go into the table.
class ImageVisit {
 public:
  ImageVisit(Writer &writer, TypeTable &types, bool by_name) : writer_(writer), types_(types), by_name_(by_name) {}

  template <class... Members>
  void operator()(Members &...all) {
    (one(all), ...);
  }

 private:
  template <Number T>
  void one(T &number) {
    writer_.value(number);
  }
  void one(std::string &text) { writer_.value(text); }
  void one(const Type *&type) { writer_.value(types_.add(type, by_name_)); }
  template <class T>
  void one(std::vector<T> &all) {
    writer_.value(static_cast<uint32_t>(all.size()));
    for (T &item : all) one(item);
  }
  template <class T>
  void one(T &item) {
    members(*this, item);
  }

  Writer &writer_;
  TypeTable &types_;
  bool by_name_;
};

uint32_t TypeTable::add(const Type *type, bool by_name) {
  if (!type) return 0;
  auto known = known_.find({type, by_name});
  if (known != known_.end()) return known->second;
  bool behind_pointer = by_name || type->kind == TypeKind::Pointer;
  Type copy = *type;
  bool is_struct = type->kind == TypeKind::Struct;
  if (is_struct && (by_name || !open_.insert(type).second)) copy.fields.clear();
  Writer bytes;
  ImageVisit visit(bytes, *this, behind_pointer);
  members(visit, copy);
  if (is_struct && !by_name) open_.erase(type);
  writer_.append(bytes.bytes());
  return known_[{type, by_name}] = ++count_;
}

uint32_t crc_table_entry(uint32_t byte) {
  for (int bit = 0; bit < 8; ++bit) byte = byte >> 1 ^ (byte & 1 ? 0xedb88320 : 0);
  return byte;
}

}  // namespace

uint32_t image_checksum(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); ++i) table[i] = crc_table_entry(i);
    return table;
  }();
  uint32_t crc = 0xffffffff;
  for (char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

std::string serialize_image(const Image &image) {
  TypeTable types;
  Writer body;
  ImageVisit visit(body, types, false);
  Manifest manifest = image.manifest;
  members(visit, manifest);
  body.value(image.object);
  std::string rest = types.finish() + body.bytes();
  Writer header;
  header.append(kImageMagic);
  header.value(kImageVersion);
  header.value(image_checksum(rest));
  header.value(static_cast<uint64_t>(rest.size()));
  return header.take() + rest;
}

Result<void> write_image(const Image &image, const std::string &path) {
  std::string bytes = serialize_image(image);
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return fail_errno("create " + path);
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int err = errno;
      close(fd);
      return fail_errno("write " + path, err);
    }
    done += static_cast<size_t>(n);
  }
  if (close(fd) != 0) return fail_errno("write " + path);
  return {};
}

}  // namespace awl
