#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "runtime/symbols/process_maps.h"
#include "runtime/symbols/symbols.h"

// Found by name in the symbol table of this very program.
extern "C" [[gnu::noinline]] int awl_test_known_function(int n) {
  asm volatile("" : "+r"(n));
  return n + 1;
}

namespace awl {

[[gnu::noinline]] int test_mangled_function(int n) {
  asm volatile("" : "+r"(n));
  return n + 2;
}

namespace {

uint64_t address_of(auto *function) { return reinterpret_cast<uint64_t>(function); }

TEST(ProcessMaps, Parse) {
  std::vector<Mapping> maps = parse_maps(
      "55d0c0000000-55d0c0001000 r--p 00000000 fd:01 1234                       /usr/bin/x\n"
      "55d0c0001000-55d0c0005000 r-xp 00001000 fd:01 1234                       /usr/bin/x\n"
      "7f0000000000-7f0000001000 r-xp 00000000 00:01 99                         /tmp/with blank (deleted)\n"
      "7f1000000000-7f1000001000 rwxp 00000000 00:00 0 \n"
      "garbage\n"
      "7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]");
  ASSERT_EQ(maps.size(), 4U);
  EXPECT_EQ(maps[0].start, 0x55d0c0001000U);
  EXPECT_EQ(maps[0].end, 0x55d0c0005000U);
  EXPECT_EQ(maps[0].offset, 0x1000U);
  EXPECT_EQ(maps[0].device, "fd:01");
  EXPECT_EQ(maps[0].inode, 1234U);
  EXPECT_EQ(maps[0].path, "/usr/bin/x");
  EXPECT_EQ(maps[1].path, "/tmp/with blank");
  EXPECT_EQ(maps[2].path, "");
  EXPECT_EQ(maps[3].path, "[vdso]");
}

TEST(ProcessMaps, OfAProcess) {
  const Result<std::vector<Mapping>> own = mappings_of(static_cast<uint32_t>(getpid()));
  ASSERT_TRUE(own);
  const uint64_t code = address_of(awl_test_known_function);
  EXPECT_TRUE(std::ranges::any_of(*own, [&](const Mapping &m) { return m.start <= code && code < m.end; }));
  EXPECT_FALSE(mappings_of(0));
}

TEST(Names, TheNicerOfTwo) {
  EXPECT_TRUE(nicer_name("read", "__libc_read"));
  EXPECT_TRUE(nicer_name("_longer_name", "__x"));
  EXPECT_TRUE(nicer_name("ab", "abc"));
  EXPECT_TRUE(nicer_name("ab", "ac"));
  EXPECT_FALSE(nicer_name("ab", "ab"));
}

TEST(UserSymbols, OwnFunctions) {
  UserSymbols symbols;
  auto pid = static_cast<uint32_t>(getpid());
  std::optional<Symbol> symbol = symbols.find(pid, address_of(awl_test_known_function) + 1);
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->name, "awl_test_known_function");
  EXPECT_EQ(symbol->offset, 1U);
  EXPECT_NE(symbol->module.find("unit_symbols"), std::string::npos);
  EXPECT_FALSE(symbols.find(pid, 16));
  EXPECT_FALSE(symbols.find(pid, address_of(&symbols))) << "the stack is no code";
}

TEST(UserSymbols, Demangled) {
  auto pid = static_cast<uint32_t>(getpid());
  UserSymbols plain({.demangle = false}), readable;
  uint64_t address = address_of(test_mangled_function);
  EXPECT_EQ(readable.find(pid, address)->name, "awl::test_mangled_function(int)");
  EXPECT_EQ(plain.find(pid, address)->name, "_ZN3awl21test_mangled_functionEi");
}

TEST(UserSymbols, Vdso) {
  std::ifstream maps("/proc/self/maps");
  std::string text((std::istreambuf_iterator<char>(maps)), {});
  for (const Mapping &mapping : parse_maps(text)) {
    if (mapping.path != "[vdso]") continue;
    UserSymbols symbols;
    int named = 0;
    for (uint64_t at = mapping.start; at < mapping.end; at += 16)
      if (std::optional<Symbol> symbol = symbols.find(static_cast<uint32_t>(getpid()), at)) {
        EXPECT_EQ(symbol->module, "[vdso]");
        named += symbol->name == "clock_gettime" || symbol->name == "__vdso_clock_gettime";
      }
    EXPECT_GT(named, 0);
    return;
  }
  GTEST_SKIP() << "no vdso";
}

// A child that waits until it is told to end.
class Child {
 public:
  Child() {
    if (pipe(pipe_) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      char byte;
      close(pipe_[1]);
      (void)!read(pipe_[0], &byte, 1);
      _exit(0);
    }
  }
  ~Child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    close(pipe_[0]);
    close(pipe_[1]);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] uint32_t pid() const { return static_cast<uint32_t>(pid_); }

 private:
  int pipe_[2];
  pid_t pid_;
};

TEST(UserSymbols, RememberedAfterTheEnd) {
  Child child;
  uint32_t pid = child.pid();
  UserSymbols symbols, forgetful;
  symbols.remember(pid);
  child.end();
  std::optional<Symbol> symbol = symbols.find(pid, address_of(awl_test_known_function));
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->name, "awl_test_known_function");
  EXPECT_FALSE(forgetful.find(pid, address_of(awl_test_known_function)));
}

TEST(UserSymbols, JustInTimeCode) {
  Child child;
  std::string path = "/tmp/perf-" + std::to_string(child.pid()) + ".map";
  UserSymbols symbols;
  constexpr uint64_t kCode = 0x10000;  // below what mmap gives: in no mapping
  EXPECT_FALSE(symbols.find(child.pid(), kCode));
  std::ofstream(path) << "10000 20 LazyCompile:~add /x.js:1\nbroken\n10020 10 second\n";
  std::optional<Symbol> first = symbols.find(child.pid(), kCode + 4);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "LazyCompile:~add /x.js:1");
  EXPECT_EQ(first->offset, 4U);
  EXPECT_EQ(symbols.find(child.pid(), 0x1002f)->name, "second");
  EXPECT_FALSE(symbols.find(child.pid(), 0x10030));
  std::ofstream(path, std::ios::app) << "10030 10 third\n";
  EXPECT_EQ(symbols.find(child.pid(), 0x10030)->name, "third") << "the file has grown";
  unlink(path.c_str());
}

TEST(UserSymbols, NoSuchProcess) {
  UserSymbols symbols;
  symbols.remember(4190000);
  EXPECT_FALSE(symbols.find(4190000, 0x400000));
}

TEST(Demangle, Names) {
  EXPECT_EQ(demangle("_ZN2ns1fEi"), "ns::f(int)");
  EXPECT_EQ(demangle("main"), "main");
  EXPECT_EQ(demangle("_Zbroken"), "_Zbroken");
  EXPECT_EQ(demangle("_"), "_");
  EXPECT_EQ(demangle("_ZN2rs4deep7compute17hb739e8784befd79bE"), "rs::deep::compute");
  EXPECT_EQ(demangle("_ZN2rs4deep7compute17hb739e8784befd79bE.llvm.1234567"), "rs::deep::compute");
  EXPECT_EQ(demangle("_ZN38_$LT$rs..Point$u20$as$u20$rs..Area$GT$4area17h781aa51c5959e146E"),
            "<rs::Point as rs::Area>::area");
  EXPECT_EQ(demangle("_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17hb6e30565f2a810ddE"),
            "std::rt::lang_start::{{closure}}");
  // The last part is no hash: C++.
  EXPECT_EQ(demangle("_ZN2rs4deep7computeE"), "rs::deep::compute");
  EXPECT_EQ(demangle("_ZN2rs17hb739e8784befd79"), "_ZN2rs17hb739e8784befd79");
  EXPECT_EQ(demangle("_ZN99999rsE"), "_ZN99999rsE");
  EXPECT_EQ(demangle("_RNvNtCsbFYJioi4cCO_2rs4deep7compute"), "rs::deep::compute");
  EXPECT_EQ(demangle("_RNvNtCsbFYJioi4cCO_2rs4deep7compute.llvm.1234567"), "rs::deep::compute");
  EXPECT_EQ(demangle("_RNvXCsbFYJioi4cCO_2rsNtB2_5PointNtB2_4Area4area"), "<rs::Point as rs::Area>::area");
  EXPECT_EQ(demangle("_RINvCsbFYJioi4cCO_2rs4showhEB2_"), "rs::show::<u8>");
  EXPECT_EQ(demangle("_Rbroken"), "_Rbroken");
  EXPECT_EQ(demangle("_R"), "_R");
}

}  // namespace
}  // namespace awl
