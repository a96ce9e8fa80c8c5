// Little-endian bytes of a Manifest. One list of members per struct (members.h) serves the writer and the
// reader, so that they cannot drift apart.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace awl {

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Writer {
 public:
  template <Number T>
  void value(const T &number) {
    if constexpr (std::is_same_v<T, bool>) {
      bytes_ += static_cast<char>(number);
    } else {
      bytes_.append(reinterpret_cast<const char *>(&number), sizeof(number));  // x86-64 and arm64 are little-endian
    }
  }
  void value(const std::string &text) {
    value(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  void append(std::string_view bytes) { bytes_ += bytes; }
  [[nodiscard]] std::string take() { return std::move(bytes_); }
  [[nodiscard]] const std::string &bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reading beyond the end gives zeros and sets failed(); no length is believed that the bytes left cannot hold.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <Number T>
  void value(T &number) {
    if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = 0;
      value(byte);
      if (byte > 1) failed_ = true;
      number = byte == 1;
    } else {
      number = T{};
      if (!have(sizeof(T))) return;
      std::memcpy(&number, bytes_.data() + at_, sizeof(T));
      at_ += sizeof(T);
    }
  }
  void value(std::string &text) {
    uint32_t size = count(1);
    text.clear();
    if (!have(size)) return;
    text.assign(bytes_.substr(at_, size));
    at_ += size;
  }
  // Number of elements that follow, each of at least `smallest` bytes.
  uint32_t count(size_t smallest) {
    uint32_t number = 0;
    value(number);
    if (uint64_t{number} * smallest > bytes_.size() - at_) failed_ = true;
    return failed_ ? 0 : number;
  }
  void fail() { failed_ = true; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] size_t position() const { return at_; }

 private:
  bool have(size_t size) {
    if (bytes_.size() - at_ < size) failed_ = true;
    return !failed_;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace awl
