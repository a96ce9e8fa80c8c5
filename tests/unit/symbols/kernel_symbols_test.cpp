#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "runtime/symbols/kallsyms.h"
#include "runtime/symbols/symbols.h"

namespace awl {
namespace {

class KernelSymbolsTest : public testing::Test {
 protected:
  KernelSymbolsTest() {
    char name[] = "/tmp/awl-kallsyms-XXXXXX";
    int fd = mkstemp(name);
    if (fd >= 0) close(fd);
    path = name;
  }
  ~KernelSymbolsTest() override { std::remove(path.c_str()); }
  void write(const std::string &text) { std::ofstream(path) << text; }

  std::string path;
};

constexpr char kList[] =
    "0000000000000000 A __per_cpu_start\n"
    "0000000000001000 A cpu_debug_store\n"
    "ffffffff81000000 t local_alias\n"
    "ffffffff81000000 T _stext\n"
    "ffffffff81000000 T _text\n"
    "ffffffff81000100 T vfs_read\n"
    "ffffffff81000200 t helper.isra.0\n"
    "ffffffff82000000 D jiffies\n"
    "ffffffff83000000 B _end\n"
    "ffffffffc0000000 t xfs_open\t[xfs]\n"
    "ffffffffc0001000 t ext4_open\t[ext4]\n"
    "ffffffffc0002000 t bpf_prog_1234_x\t[bpf]\n";

TEST(Kallsyms, Lines) {
  std::string seen;
  each_kernel_symbol(
      "ffffffff81000000 T _text\n0000000000000000 t hidden\nnot a line\n12 T\n\n"
      "ffffffffc0000000 t xfs_open\t[xfs]\nffffffff83000000 B _end",
      [&](const KernelSymbolLine &line) {
        seen += fmt::format("{:x} {} {} {};", line.address, line.type, line.name, line.module);
      });
  EXPECT_EQ(seen, "ffffffff81000000 T _text ;0 t hidden ;ffffffffc0000000 t xfs_open xfs;ffffffff83000000 B _end ;");
}

TEST_F(KernelSymbolsTest, Find) {
  write(kList);
  KernelSymbols symbols(path);
  auto name = [&](uint64_t address) {
    std::optional<Symbol> symbol = symbols.find(address);
    if (!symbol) return std::string("-");
    return symbol->name + "+" + std::to_string(symbol->offset) + (symbol->module.empty() ? "" : " " + symbol->module);
  };
  EXPECT_EQ(name(0xffffffff81000100), "vfs_read+0");
  EXPECT_EQ(name(0xffffffff810001ff), "vfs_read+255");
  EXPECT_EQ(name(0xffffffff81000204), "helper.isra.0+4");
  EXPECT_EQ(name(0xffffffff81000000), "_stext+0") << "a global name wins over a local one";
  EXPECT_EQ(name(0xffffffffc0000010), "xfs_open+16 xfs");
  EXPECT_EQ(name(0xffffffffc0001010), "ext4_open+16 ext4");
  EXPECT_EQ(name(0xffffffffc0002001), "bpf_prog_1234_x+1 bpf");
}

TEST_F(KernelSymbolsTest, AddressesThatAreNoCode) {
  write(kList);
  KernelSymbols symbols(path);
  EXPECT_FALSE(symbols.find(0));
  EXPECT_FALSE(symbols.find(0x1000)) << "per-CPU offsets are no addresses";
  EXPECT_FALSE(symbols.find(0x7f0000000000));
  EXPECT_FALSE(symbols.find(0xffffffff80ffffff));
  EXPECT_FALSE(symbols.find(0xffffffffa0000000)) << "behind the kernel's image";
  EXPECT_FALSE(symbols.find(0xfffffffff0000000)) << "far behind the last module";
}

TEST_F(KernelSymbolsTest, AddressOfName) {
  write(kList);
  KernelSymbols symbols(path);
  EXPECT_EQ(symbols.address("jiffies"), 0xffffffff82000000);
  EXPECT_EQ(symbols.address("cpu_debug_store"), 0x1000U);
  EXPECT_EQ(symbols.address("xfs_open"), 0xffffffffc0000000);
  EXPECT_FALSE(symbols.address("xfs"));
}

TEST_F(KernelSymbolsTest, HiddenAddresses) {
  write("0000000000000000 T _stext\n0000000000000000 T vfs_read\n0000000000000000 t a\t[m]\n");
  KernelSymbols symbols(path);
  EXPECT_FALSE(symbols.find(0xffffffff81000100));
  EXPECT_FALSE(symbols.address("vfs_read"));
}

TEST_F(KernelSymbolsTest, BrokenLines) {
  write(
      "\n\nzzz\nffffffff81000000\nffffffff81000000 T\nffffffff81000000 T \nffffffff81000100 T good\nffffffff81000200 T "
      "x\t[");
  KernelSymbols symbols(path);
  EXPECT_EQ(symbols.find(0xffffffff81000101)->name, "good");
  KernelSymbols missing("/nonexistent/kallsyms");
  EXPECT_FALSE(missing.find(0xffffffff81000101));
}

TEST(RunningKernel, KnowsItself) {
  KernelSymbols symbols;
  std::optional<uint64_t> address = symbols.address("vfs_read");
  if (!address) GTEST_SKIP() << "addresses are hidden";
  std::optional<Symbol> symbol = symbols.find(*address + 1);
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->name, "vfs_read");
  EXPECT_EQ(symbol->offset, 1U);
}

}  // namespace
}  // namespace awl
