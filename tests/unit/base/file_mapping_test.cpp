#include "base/file_mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace awl {
namespace {

// A file of `pages` pages full of x.
int make_file(size_t pages) {
  const int fd = memfd_create("file", MFD_CLOEXEC);
  const std::string text(pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)), 'x');
  EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return fd;
}

TEST(FileMapping, WhatIsCutOffReadsAsZeros) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const int fd = make_file(3);
  Result<FileMapping> file = FileMapping::map(fd, 3 * page);
  ASSERT_TRUE(file.has_value());
  const FileMapping moved = *std::move(file);
  const volatile char *bytes = moved.data();
  EXPECT_EQ(bytes[2 * page], 'x');
  ASSERT_EQ(ftruncate(fd, 10), 0);
  EXPECT_EQ(bytes[9], 'x');
  EXPECT_EQ(bytes[10], 0);
  EXPECT_EQ(bytes[page + 5], 0);
  EXPECT_EQ(bytes[3 * page - 1], 0);
  close(fd);
}

TEST(FileMapping, OtherMappingsAreLeftAlone) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const int fd = make_file(1);
  {
    ASSERT_TRUE(FileMapping::map(fd, page).has_value());
  }  // one that is gone
  void *other = mmap(nullptr, page, PROT_READ, MAP_PRIVATE, fd, 0);
  ASSERT_NE(other, MAP_FAILED);
  ASSERT_EQ(ftruncate(fd, 0), 0);
  EXPECT_DEATH(_exit(*static_cast<volatile char *>(other)), "");  // by SIGBUS, which AddressSanitizer catches
  munmap(other, page);
  close(fd);
}

}  // namespace
}  // namespace awl
