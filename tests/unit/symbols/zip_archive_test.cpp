#include "runtime/symbols/zip_archive.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

void put(std::string &out, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; i++, number >>= 8) out += static_cast<char>(number);
}

// One member at the front, and behind it the table and its end.
std::string archive(const std::string &name, const std::string &content, uint16_t method, const std::string &comment) {
  std::string out("PK\3\4", 4);
  put(out, 0, 22);
  put(out, name.size(), 2);
  put(out, 3, 2);
  out += name + "xyz" + content;
  const size_t table = out.size();
  out += std::string("PK\1\2", 4);
  put(out, 0, 6);
  put(out, method, 2);
  put(out, 0, 8);
  put(out, content.size(), 4);
  put(out, content.size(), 4);
  put(out, name.size(), 2);
  put(out, 0, 16);
  out += name;
  const size_t end = out.size();
  out += std::string("PK\5\6", 4);
  put(out, 0, 8);
  put(out, end - table, 4);
  put(out, table, 4);
  put(out, comment.size(), 2);
  return out + comment;
}

TEST(ZipArchive, StoredMember) {
  const std::string bytes = archive("lib/a.so", "content", 0, "a comment");
  Result<ArchiveMember> found = find_archive_member(bytes, "lib/a.so");
  ASSERT_TRUE(found);
  EXPECT_EQ(bytes.substr(found->offset, found->size), "content");
}

TEST(ZipArchive, MemberAtAnOffset) {
  const std::string bytes = archive("lib/a.so", "content", 0, "");
  const uint64_t content = bytes.find("content");
  EXPECT_EQ(archive_member_at(std::string_view(bytes), content), "lib/a.so");
  EXPECT_EQ(archive_member_at(std::string_view(bytes), content + 6), "lib/a.so");
  EXPECT_EQ(archive_member_at(std::string_view(bytes), content + 7), "");
  EXPECT_EQ(archive_member_at(std::string_view(bytes), content - 1), "");
  EXPECT_EQ(archive_member_at(std::string_view(archive("lib/a.so", "content", 8, "")), content), "");
  EXPECT_EQ(archive_member_at(std::string_view("no archive"), 0), "");
  EXPECT_EQ(archive_member_at(std::string("/proc/self/exe"), 0), "");
}

TEST(ZipArchive, Refusals) {
  EXPECT_EQ(find_archive_member(archive("a.so", "content", 8, ""), "a.so").error().message,
            "`a.so` is compressed in its archive");
  Result<ArchiveMember> other = find_archive_member(archive("lib/a.so", "content", 0, ""), "lib/b.so");
  EXPECT_EQ(other.error().message, "there is no `lib/b.so` in the archive");
  EXPECT_EQ(other.error().hint, "did you mean `lib/a.so`?");
  EXPECT_EQ(find_archive_member("\x7f"
                                "ELF",
                                "a.so")
                .error()
                .message,
            "it is not a zip archive");
}

TEST(ZipArchive, DamageIsAnError) {
  const std::string bytes = archive("lib/a.so", "content", 0, "");
  for (size_t size = 0; size < bytes.size(); size++)
    EXPECT_FALSE(find_archive_member(std::string_view(bytes).substr(0, size), "lib/a.so")) << size;
  for (size_t at = 0; at < bytes.size(); at++) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    Result<ArchiveMember> found = find_archive_member(damaged, "lib/a.so");
    if (!found) continue;
    EXPECT_LE(found->offset, damaged.size()) << at;
    EXPECT_LE(found->size, damaged.size() - found->offset) << at;
  }
}

TEST(ZipArchive, Paths) {
  EXPECT_EQ(split_binary_path("/x.apk!/lib/a.so").file, "/x.apk");
  EXPECT_EQ(split_binary_path("/x.apk!/lib/a.so").member, "lib/a.so");
  EXPECT_EQ(split_binary_path("/bin/sh").member, "");
}

}  // namespace
}  // namespace awl
