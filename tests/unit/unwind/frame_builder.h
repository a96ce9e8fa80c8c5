// .eh_frame sections made by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace awl::testing {

using Code = std::basic_string<unsigned char>;

class FrameBuilder {
 public:
  static constexpr uint64_t kAddress = 0x10000;  // of the section

  std::string bytes;

  // DW_CFA_def_cfa rsp+8, DW_CFA_offset rip at CFA-8: what every compiler begins with.
  static Code usual() { return {0x0c, 7, 8, 0x90, 1}; }

  // Returns its place, for functions.
  uint32_t common(const Code &program = usual(), const std::string &augmentation = "zR", const Code &data = {0x1b}) {
    std::string body(4, '\0');
    body += '\1' + augmentation + '\0';
    body += {'\1', '\x78', '\x10'};  // code unit 1, data unit -8, return address in 16
    if (augmentation.starts_with('z')) body += static_cast<char>(data.size()) + text(data);
    return entry(body + text(program));
  }

  // Begin relative to its own place, as compilers write it.
  void function(uint32_t common, uint64_t begin, uint32_t size, const Code &program) {
    const auto id = static_cast<uint32_t>(bytes.size()) + 4 - common;
    std::string body = number(id) + number(static_cast<uint32_t>(begin - (kAddress + bytes.size() + 8))) + number(size);
    entry(body + '\0' + text(program));
  }

  uint32_t entry(std::string body) {
    const auto at = static_cast<uint32_t>(bytes.size());
    body.resize((body.size() + 3) & ~size_t{3});  // DW_CFA_nop
    bytes += number(static_cast<uint32_t>(body.size())) + body;
    return at;
  }

  static std::string number(uint32_t value) {
    std::string out(sizeof(value), '\0');
    std::memcpy(out.data(), &value, sizeof(value));
    return out;
  }

 private:
  static std::string text(const Code &code) { return {reinterpret_cast<const char *>(code.data()), code.size()}; }
};

}  // namespace awl::testing
