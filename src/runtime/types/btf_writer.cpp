#include "runtime/types/btf_writer.h"

#include <algorithm>

namespace awl {

uint32_t BtfWriter::string(std::string_view text) {
  if (text.empty()) return 0;
  auto known = offsets_.find(text);
  if (known != offsets_.end()) return known->second;
  auto offset = static_cast<uint32_t>(strings_.size());
  strings_ += text;
  strings_ += '\0';
  offsets_.emplace(text, offset);
  return offset;
}

uint32_t BtfWriter::add(BtfKind kind, std::string_view name, uint32_t size_or_type, const std::vector<uint32_t> &extra,
                        uint32_t vlen, bool flag) {
  words_.push_back(string(name));
  words_.push_back(btf_info(kind, vlen, flag));
  words_.push_back(size_or_type);
  words_.insert(words_.end(), extra.begin(), extra.end());
  return next_id_++;
}

uint32_t BtfWriter::integer(std::string_view name, uint32_t size, uint32_t encoding) {
  return add(BtfKind::Int, name, size, {encoding << 24 | size * 8});
}

uint32_t BtfWriter::array(uint32_t element, uint32_t count, uint32_t index_type) {
  return add(BtfKind::Array, "", 0, {element, index_type, count});
}

uint32_t BtfWriter::structure(std::string_view name, uint32_t size, const std::vector<Member> &members, bool is_union) {
  // With a bitfield among them all members carry their width.
  bool flag = std::any_of(members.begin(), members.end(), [](const Member &member) { return member.bits != 0; });
  std::vector<uint32_t> extra;
  for (const Member &member : members) {
    extra.push_back(string(member.name));
    extra.push_back(member.type);
    extra.push_back(flag ? member.bits << 24 | member.bit_offset : member.bit_offset);
  }
  return add(is_union ? BtfKind::Union : BtfKind::Struct, name, size, extra, static_cast<uint32_t>(members.size()),
             flag);
}

std::string BtfWriter::finish() const {
  auto type_bytes = static_cast<uint32_t>(words_.size() * 4);
  std::vector<uint32_t> header = {kBtfMagic | uint32_t{kBtfVersion} << 16, kBtfHeaderSize, 0, type_bytes, type_bytes,
                                  static_cast<uint32_t>(strings_.size())};
  std::string out(reinterpret_cast<const char *>(header.data()), header.size() * 4);
  out.append(reinterpret_cast<const char *>(words_.data()), type_bytes);
  return out + strings_;
}

}  // namespace awl
