#include "runtime/types/btf_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace awl {
namespace {

// BTF read into a string or mapped at a page is aligned, but a malformed header may say otherwise.
uint32_t load32(const char *at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

constexpr uint32_t kCommonSize = 12;

// Bytes of a type by kind; for unknown kinds more than any BTF has.
struct TypeSize {
  uint32_t fixed, each;  // each: of vlen
};
constexpr TypeSize kUnknown = {UINT32_MAX, 0};
constexpr TypeSize kTypeSize[32] = {
    /* Void */ kUnknown,
    /* Int */ {16, 0},
    /* Ptr */ {12, 0},
    /* Array */ {24, 0},
    /* Struct */ {12, 12},
    /* Union */ {12, 12},
    /* Enum */ {12, 8},
    /* Fwd */ {12, 0},
    /* Typedef */ {12, 0},
    /* Volatile */ {12, 0},
    /* Const */ {12, 0},
    /* Restrict */ {12, 0},
    /* Func */ {12, 0},
    /* FuncProto */ {12, 8},
    /* Var */ {16, 0},
    /* DataSec */ {12, 12},
    /* Float */ {12, 0},
    /* DeclTag */ {16, 0},
    /* TypeTag */ {12, 0},
    /* Enum64 */ {12, 12},
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
    kUnknown,
};

}  // namespace

Result<BtfView> BtfView::parse(std::string_view bytes, BtfView *base) {
  if (bytes.size() < kBtfHeaderSize) return fail("malformed BTF: shorter than its header");
  uint16_t magic;
  std::memcpy(&magic, bytes.data(), sizeof(magic));
  if (magic == 0x9feb) return fail("BTF is of the other byte order");
  if (magic != kBtfMagic) return fail("not BTF: wrong magic number");
  if (static_cast<uint8_t>(bytes[2]) != kBtfVersion) return fail("unknown version of BTF");
  uint64_t header = load32(bytes.data() + 4);
  uint64_t type_off = load32(bytes.data() + 8), type_len = load32(bytes.data() + 12);
  uint64_t str_off = load32(bytes.data() + 16), str_len = load32(bytes.data() + 20);
  if (header < kBtfHeaderSize || header + type_off + type_len > bytes.size() ||
      header + str_off + str_len > bytes.size()) {
    return fail("malformed BTF: a section lies outside of it");
  }
  BtfView view;
  view.types_ = bytes.substr(header + type_off, type_len);
  view.strings_ = bytes.substr(header + str_off, str_len);
  if (view.strings_.empty() ? base == nullptr : view.strings_.back() != '\0') {
    return fail("malformed BTF: strings are not terminated");
  }
  if (base) {
    view.base_ = base;
    view.first_id_ = TRY(base->next_free_id());
    view.strings_base_ = base->strings_base_ + static_cast<uint32_t>(base->strings_.size());
  }
  return view;
}

BtfRaw BtfView::raw_at(uint32_t id, uint32_t offset) const {
  const char *at = types_.data() + offset;
  uint32_t info = load32(at + 4);
  BtfRaw raw;
  raw.id = id;
  raw.kind = static_cast<BtfKind>(info >> 24 & 0x1f);
  raw.flag = info >> 31;
  raw.vlen = info & 0xffff;
  raw.name_off = load32(at);
  raw.size_or_type = load32(at + 8);
  raw.extra = at + kCommonSize;
  return raw;
}

// Kept flat and nearly free of branches: this loop may run over all 126 000 types of a kernel before a program starts.
void BtfView::index_to(uint32_t id) {
  if (!offsets_) {
    // The smallest type has 12 bytes, the average 25. Memory that is not written costs nothing.
    offsets_ = std::make_unique_for_overwrite<uint32_t[]>(types_.size() / kCommonSize + 1);
    kinds_ = std::make_unique_for_overwrite<uint8_t[]>(types_.size() / kCommonSize + 1);
  }
  const char *base = types_.data();
  const size_t end = types_.size();
  size_t cursor = cursor_;
  uint32_t index = count_;
  const uint32_t stop = id - first_id_;
  uint32_t *offsets = offsets_.get();
  uint8_t *kinds = kinds_.get();
  while (index <= stop && end - cursor >= kCommonSize) {
    uint32_t info = load32(base + cursor + 4);
    uint32_t kind = info >> 24 & 0x1f;
    size_t size = kTypeSize[kind].fixed + size_t{kTypeSize[kind].each} * (info & 0xffff);
    if (size > end - cursor) break;
    offsets[index] = static_cast<uint32_t>(cursor);
    kinds[index] = static_cast<uint8_t>(kind);
    cursor += size;
    ++index;
  }
  cursor_ = cursor;
  count_ = index;
  if (index <= stop && cursor < end) {
    error_ = fmt::format("malformed BTF: type {} is cut off or of an unknown kind", first_id_ + index);
  }
}

Result<void> BtfView::index_all() {
  index_to(UINT32_MAX);
  if (!error_.empty()) return fail(error_);
  return {};
}

Result<uint32_t> BtfView::next_free_id() {
  if (auto all = index_all(); !all) return std::unexpected(all.error());
  return first_id_ + count_;
}

uint32_t BtfView::name_offset(uint32_t id) const { return load32(types_.data() + offsets_[id - first_id_]); }

Result<BtfRaw> BtfView::type(uint32_t id) {
  if (id < first_id_) {
    if (base_) return base_->type(id);
    return BtfRaw{};  // void
  }
  uint32_t index = id - first_id_;
  if (index >= count_ && error_.empty()) index_to(id);
  if (index >= count_) return fail(!error_.empty() ? error_ : fmt::format("malformed BTF: there is no type {}", id));
  return raw_at(id, offsets_[index]);
}

uint32_t BtfView::next_of_kind(BtfKind kind, uint32_t from) const {
  uint32_t index = from - first_id_;
  if (index >= count_) return 0;
  const void *at = std::memchr(kinds_.get() + index, static_cast<int>(kind), count_ - index);
  return at ? first_id_ + static_cast<uint32_t>(static_cast<const uint8_t *>(at) - kinds_.get()) : 0;
}

Result<uint32_t> BtfView::find_by_offset(BtfKind kind, std::string_view name) {
  std::vector<uint32_t> offsets = string_offsets(name);
  if (offsets.empty()) return 0;
  if (auto all = index_all(); !all) return std::unexpected(all.error());
  for (uint32_t id = next_of_kind(kind, first_id_); id; id = next_of_kind(kind, id + 1)) {
    if (std::find(offsets.begin(), offsets.end(), name_offset(id)) != offsets.end()) return id;
  }
  return 0;
}

Result<uint32_t> BtfView::find_by_index(BtfKind kind, std::string_view name) {
  auto &ids = names_[static_cast<size_t>(kind)].ids;
  if (ids.empty()) {
    const std::vector<uint32_t> all = TRY(of_kind(kind));
    ids.reserve(all.size() + 1);
    for (uint32_t id : all)
      if (auto text = string(name_offset(id)); text && !text->empty()) ids.try_emplace(*text, id);
    ids.try_emplace({}, 0);  // an index that is made, even of nothing, is not empty
  }
  auto found = ids.find(name);
  return found == ids.end() ? 0 : found->second;
}

Result<uint32_t> BtfView::find(BtfKind kind, std::string_view name) {
  constexpr uint32_t kSearches = 32;  // cost as much as the index of the functions
  if (name.empty()) return 0;
  if (names_[static_cast<size_t>(kind)].asked++ >= kSearches) return find_by_index(kind, name);
  if (kind == BtfKind::Func && !base_) return find_by_offset(kind, name);
  constexpr uint32_t kStep = 4096;  // types to index before looking again
  uint32_t from = first_id_;
  while (true) {
    uint32_t end = first_id_ + count_;
    for (uint32_t id = next_of_kind(kind, from); id; id = next_of_kind(kind, id + 1)) {
      if (string_is(name_offset(id), name)) return id;
    }
    from = end;
    if (!error_.empty()) return fail(error_);
    index_to(end + kStep);
    if (first_id_ + count_ == end && error_.empty()) return 0;
  }
}

Result<std::vector<uint32_t>> BtfView::of_kind(BtfKind kind) {
  if (auto all = index_all(); !all) return std::unexpected(all.error());
  std::vector<uint32_t> out;
  for (uint32_t id = next_of_kind(kind, first_id_); id; id = next_of_kind(kind, id + 1)) out.push_back(id);
  return out;
}

Result<std::string_view> BtfView::string(uint32_t offset) const {
  if (offset < strings_base_) return base_->string(offset);
  uint32_t index = offset - strings_base_;
  if (index >= strings_.size()) return fail("malformed BTF: a name lies outside of the strings");
  return std::string_view(strings_.data() + index);  // the section ends with a NUL
}

bool BtfView::string_is(uint32_t offset, std::string_view text) const {
  if (offset < strings_base_) return base_->string_is(offset, text);
  size_t index = offset - strings_base_;
  if (index + text.size() >= strings_.size()) return false;
  const char *at = strings_.data() + index;
  return *at == text[0] && at[text.size()] == '\0' && std::memcmp(at, text.data(), text.size()) == 0;
}

std::vector<uint32_t> BtfView::string_offsets(std::string_view text) const {
  // Sixteen places at a time are looked at for the first byte of `text` and, as far behind as it is long, its NUL.
  using Bytes = char __attribute__((vector_size(16)));
  std::vector<uint32_t> out;
  if (text.empty() || text.size() >= strings_.size()) return out;
  const char *begin = strings_.data();
  size_t places = strings_.size() - text.size();
  const Bytes first = Bytes{} + text[0];
  auto check = [&](size_t at) {
    if (string_is(strings_base_ + static_cast<uint32_t>(at), text)) {
      out.push_back(strings_base_ + static_cast<uint32_t>(at));
    }
  };
  size_t at = 0;
  for (; at + sizeof(Bytes) <= places; at += sizeof(Bytes)) {
    Bytes here, behind;
    std::memcpy(&here, begin + at, sizeof(here));
    std::memcpy(&behind, begin + at + text.size(), sizeof(behind));
    auto hits = (here == first) & (behind == Bytes{});
    uint64_t halves[2];
    std::memcpy(halves, &hits, sizeof(halves));
    if ((halves[0] | halves[1]) == 0) continue;
    for (size_t i = 0; i < sizeof(Bytes); ++i) check(at + i);
  }
  for (; at < places; ++at) check(at);
  return out;
}

BtfMember BtfView::member(const BtfRaw &raw, uint32_t index) {
  const char *at = raw.extra + size_t{index} * 12;
  uint32_t offset = load32(at + 8);
  BtfMember member{load32(at), load32(at + 4), offset, 0};
  if (raw.flag) {
    member.bits = offset >> 24;
    member.bit_offset = offset & 0xffffff;
  }
  return member;
}

BtfEnumValue BtfView::enum_value(const BtfRaw &raw, uint32_t index) {
  if (raw.kind == BtfKind::Enum64) {
    const char *at = raw.extra + size_t{index} * 12;
    return {load32(at), static_cast<int64_t>(uint64_t{load32(at + 8)} << 32 | load32(at + 4))};
  }
  const char *at = raw.extra + size_t{index} * 8;
  uint32_t value = load32(at + 4);
  return {load32(at), raw.flag ? static_cast<int32_t>(value) : int64_t{value}};
}

BtfMember BtfView::param(const BtfRaw &raw, uint32_t index) {
  const char *at = raw.extra + size_t{index} * 8;
  return {load32(at), load32(at + 4), 0, 0};
}

BtfArray BtfView::array(const BtfRaw &raw) { return {load32(raw.extra), load32(raw.extra + 8)}; }

BtfInt BtfView::integer(const BtfRaw &raw) {
  uint32_t word = load32(raw.extra);
  return {word >> 24 & 0xf, word >> 16 & 0xff, word & 0xff};
}

}  // namespace awl
