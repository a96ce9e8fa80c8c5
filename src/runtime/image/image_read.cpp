#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/image/archive.h"
#include "runtime/image/format.h"
#include "runtime/image/image_check.h"
#include "runtime/image/image_file.h"
#include "runtime/image/members.h"

namespace awl {
namespace {

// Reads members; a reference to a type that is not there yet fails the reader.
class ImageVisit {
 public:
  ImageVisit(Reader &reader, const std::vector<const Type *> &types) : reader_(reader), types_(types) {}

  template <class... Members>
  void operator()(Members &...all) {
    (one(all), ...);
  }

 private:
  template <Number T>
  void one(T &number) {
    reader_.value(number);
    if constexpr (std::is_enum_v<T>) {
      if (number > largest(number)) {
        reader_.fail();
        number = T{};
      }
    }
  }
  void one(std::string &text) { reader_.value(text); }
  void one(const Type *&type) {
    uint32_t reference = 0;
    reader_.value(reference);
    type = nullptr;
    if (reference > types_.size()) return reader_.fail();
    if (reference) type = types_[reference - 1];
  }
  template <class T>
  void one(std::vector<T> &all) {
    uint32_t count = reader_.count(4);  // no element is shorter
    all.clear();
    for (uint32_t i = 0; i < count && !reader_.failed(); ++i) one(all.emplace_back());
  }
  template <class T>
  void one(T &item) {
    members(*this, item);
  }

  Reader &reader_;
  const std::vector<const Type *> &types_;
};

Result<std::string_view> body_of(std::string_view bytes) {
  if (bytes.size() < kImageHeaderSize || !bytes.starts_with(kImageMagic)) return fail("not an awl image");
  Reader header(bytes.substr(kImageMagic.size(), kImageHeaderSize - kImageMagic.size()));
  uint32_t version = 0, checksum = 0;
  uint64_t size = 0;
  header.value(version), header.value(checksum), header.value(size);
  if (version != kImageVersion) {
    return fail(fmt::format("image of format {}, this awl reads format {}", version, kImageVersion),
                "build the image again with this version of awl");
  }
  std::string_view rest = bytes.substr(kImageHeaderSize);
  if (rest.size() != size) return fail(fmt::format("image is damaged: {} bytes instead of {}", rest.size(), size));
  if (image_checksum(rest) != checksum) return fail("image is damaged: wrong checksum");
  return rest;
}

}  // namespace

Result<Image> parse_image(std::string_view bytes, TypeStore &store) {
  Reader reader(TRY(body_of(bytes)));
  std::vector<const Type *> types;
  ImageVisit visit(reader, types);
  uint32_t count = reader.count(40);
  for (uint32_t i = 0; i < count && !reader.failed(); ++i) {
    Type type;
    members(visit, type);
    if (reader.failed()) break;
    if (auto sound = check_type(type); !sound)
      return std::unexpected(std::move(sound).error().context("image is malformed"));
    types.push_back(store.intern(std::move(type)));
  }
  Image image;
  members(visit, image.manifest);
  reader.value(image.object);
  if (reader.failed() || !reader.at_end()) return fail("image is malformed: its parts do not fit");
  if (auto sound = check_manifest(image.manifest); !sound) {
    return std::unexpected(std::move(sound).error().context("image is malformed"));
  }
  return image;
}

Result<Image> read_image(const std::string &path, TypeStore &store) {
  std::string bytes = TRY(read_file(path));
  auto image = parse_image(bytes, store);
  if (!image) return std::unexpected(std::move(image).error().context(path));
  return image;
}

bool is_image(std::string_view bytes) { return bytes.starts_with(kImageMagic); }

}  // namespace awl
