// uprobe and usdt in files made in memory.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "runtime/probes/binaries.h"
#include "runtime/probes/provider.h"
#include "unit/probes/fake_roots.h"
#include "unit/symbols/elf_builder.h"

namespace awl {
namespace {

using testing::ElfBuilder;
using testing::expanded;
using testing::FakeRoots;
using testing::shown;

class UserProbes : public ::testing::Test {
 protected:
  UserProbes() {
    ElfBuilder builder;
    builder.function("read_line", 0x401000, 32).function("read_all", 0x401040, 16).function("_read_all", 0x401040, 16);
    builder.function("pick", 0x401060, 8, STT_GNU_IFUNC).object("read_count", 0x404000).import("malloc");
    builder.function("_ZN2ns4loadEi", 0x401080)
        .function("_ZN2ns4loadEPKc", 0x401090)
        .function("_ZN2ns4saveEv", 0x4010a0);
    builder.note("app", "start", "-4@%edi 8@%rsi", 0x401100, 0x404010)
        .note("app", "start", "-4@$3 8@8(%rsp)", 0x401120, 0x404010);
    builder.note("app", "stop", "8f@%xmm0", 0x401140).note("lib", "stop", "", 0x401150);
    path = roots.write("bin/app", builder.build());
  }
  std::string find(const std::string &text) {
    std::string out = expanded(text, roots.env);
    for (size_t at = 0; (at = out.find(path)) != std::string::npos;) out.replace(at, path.size(), "APP");
    return out;
  }
  Result<std::vector<AttachPlace>> places(const std::string &text) {
    auto target = parse_attach_point(text, roots.env);
    if (!target) return std::unexpected(target.error());
    return find_provider(target->provider)->places(*target, roots.env);
  }
  FakeRoots roots;
  std::string path;
};

TEST_F(UserProbes, UprobeExpands) {
  EXPECT_EQ(find("u:" + path + ":read_line"), "uprobe:APP:read_line");
  EXPECT_EQ(find("u:" + path + ":read_line+4"), "uprobe:APP:read_line+4");
  EXPECT_EQ(find("u:" + path + ":0x401002"), "uprobe:APP:0x401002");
  EXPECT_EQ(find("ur:" + path + ":read_all"), "uretprobe:APP:read_all");
  // One address, one probe; data and resolvers are not meant.
  EXPECT_EQ(find("u:" + path + ":*"),
            "uprobe:APP:_ZN2ns4loadEPKc uprobe:APP:_ZN2ns4loadEi uprobe:APP:_ZN2ns4saveEv uprobe:APP:read_all "
            "uprobe:APP:read_line");
  std::string folder = path.substr(0, path.rfind('/'));
  EXPECT_EQ(find("u:" + folder + "/*:read_l*"), "uprobe:APP:read_line");
}

TEST_F(UserProbes, UprobeCpp) {
  EXPECT_EQ(find("u:" + path + ":cpp:\"ns::load(int)\""), "uprobe:APP:cpp:\"ns::load(int)\"");
  EXPECT_EQ(find("u:" + path + ":cpp:\"ns::load\""),
            "uprobe:APP:cpp:\"ns::load(char const*)\" uprobe:APP:cpp:\"ns::load(int)\"");
  EXPECT_EQ(find("u:" + path + ":cpp:\"ns::s*\""), "uprobe:APP:cpp:\"ns::save()\"");
  auto found = places("u:" + path + ":cpp:\"ns::load(int)\"");
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ((*found)[0].file_offset, 0x1080u);
}

TEST_F(UserProbes, UprobeErrors) {
  EXPECT_EQ(find("u:" + path + ":read_lin"), "error: no function `read_lin` in `APP` | did you mean `read_line`?");
  EXPECT_EQ(find("u:" + path + ":malloc"),
            "error: `malloc` is not defined in `APP`, only called from there | probe the library that defines it, e.g. "
            "`libc:malloc`");
  EXPECT_EQ(find("u:" + path + ":read_count"), "error: `read_count` in `APP` is data, not a function");
  EXPECT_TRUE(
      find("u:" + path + ":read_line+32").starts_with("error: `read_line` has 32 bytes: +32 lies behind its end"));
  EXPECT_EQ(find("u:" + path + ":0x404000"), "error: address 0x404000 of `APP` holds no code");
  EXPECT_EQ(find("u:" + path + ":zz*"), "error: no function matches `APP:zz*`");
  EXPECT_TRUE(find("u:/no/such/file:f").starts_with("error: cannot open `/no/such/file`: No such file"));
  std::string text = roots.write("bin/notes", "hello");
  EXPECT_EQ(find("u:" + text + ":f"), "error: `" + text + "` is not an ELF file");
  roots.env.unsafe = true;
  EXPECT_EQ(find("u:" + path + ":read_line+32"), "uprobe:APP:read_line+32");
  ElfBuilder stripped;
  stripped.dynamic = true;
  std::string other = roots.write("bin/stripped", stripped.function("exported", 0x401000).build());
  EXPECT_EQ(find("u:" + other + ":hidden_thing"),
            "error: no function `hidden_thing` in `" + other +
                "` | the file is stripped: only the functions that it exports have names");
}

TEST_F(UserProbes, UprobePlacesAndContext) {
  auto found = places("u:" + path + ":read_line+4");
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ((*found)[0].file_offset, 0x1004u);
  EXPECT_EQ(places("u:" + path + ":0x401044")->at(0).file_offset, 0x1044u);
  auto target = parse_attach_point("u:" + path + ":pick", roots.env);
  auto context = find_provider("uprobe")->context(*target, false, roots.env);
  ASSERT_EQ(context->warnings.size(), 1u);
  EXPECT_NE(context->warnings[0].find("is chosen when the program starts"), std::string::npos);
  EXPECT_TRUE(context->user_code && context->has_func && context->has_regs && !context->filter_pid);
  EXPECT_EQ(context->arg_space, AddressSpace::User);
}

TEST_F(UserProbes, UsdtExpands) {
  EXPECT_EQ(find("usdt:" + path + ":start"), "usdt:APP:app:start");
  EXPECT_EQ(find("usdt:" + path + ":stop"), "usdt:APP:app:stop usdt:APP:lib:stop");
  EXPECT_EQ(find("usdt:" + path + ":lib:stop"), "usdt:APP:lib:stop");
  EXPECT_EQ(find("usdt:" + path + ":app:st*"), "usdt:APP:app:start usdt:APP:app:stop");
  EXPECT_EQ(find("usdt:" + path + ":starts"), "error: no USDT marker `starts` in `APP` | did you mean `start`?");
  EXPECT_EQ(find("usdt:" + path + ":lib:start"),
            "error: no USDT marker `lib:start` in `APP` | did you mean `app:start`?");
  std::string plain = roots.write("bin/plain", ElfBuilder().build());
  EXPECT_TRUE(find("usdt:" + plain + ":x").starts_with("error: `" + plain + "` has no USDT markers"));
}

TEST_F(UserProbes, UsdtPlacesOfEachLocation) {
  auto found = places("usdt:" + path + ":app:start");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].file_offset, 0x1100u);
  EXPECT_EQ((*found)[1].file_offset, 0x1120u);
  EXPECT_EQ((*found)[1].semaphore_offset, 0x2010u);
  ASSERT_TRUE((*found)[1].usdt);
  EXPECT_EQ((*found)[1].usdt->arg_count, 2u);
}

#if defined(__x86_64__)
TEST_F(UserProbes, UsdtContext) {
  const Provider *usdt = find_provider("usdt");
  auto target = parse_attach_point("usdt:" + path + ":app:start", roots.env);
  auto context = usdt->context(*target, true, roots.env);
  EXPECT_EQ(context->args_reach, ArgReach::Usdt);
  EXPECT_EQ(context->arg_count, 2u);
  EXPECT_TRUE(context->warnings.empty());
  target = parse_attach_point("usdt:" + path + ":app:stop", roots.env);
  context = usdt->context(*target, true, roots.env);
  ASSERT_EQ(context->warnings.size(), 1u);
  EXPECT_EQ(context->warnings[0], "arg0 is a floating point number: `stop` of `" + path + "`, it reads as 0");
}
#endif

TEST_F(UserProbes, PythonEntryDoesNotFire) {
  auto python = [&](uint64_t version) {
    ElfBuilder builder;
    builder.data.assign(reinterpret_cast<char *>(&version), sizeof(version));
    builder.object("Py_Version", 0x404000).object("_PyRuntime", 0x404100);
    builder.note("python", "function__entry", "", 0x401000).note("python", "function__return", "", 0x401010);
    return roots.write(fmt::format("bin/python{:x}", version), builder.build());
  };
  const Provider *usdt = find_provider("usdt");
  std::string old = python(0x030b02f0), later = python(0x030f00f0);
  auto context_of = [&](const std::string &file, const std::string &marker) {
    return usdt->context(*parse_attach_point("usdt:" + file + ":python:" + marker, roots.env), false, roots.env)
        .value();
  };
  ProbeContext context = context_of(old, "function__entry");
  ASSERT_EQ(context.warnings.size(), 1u);
  EXPECT_EQ(context.warning_unless, "usdt:" + old + ":python:line");
  EXPECT_NE(context.warning_hint.find("function__return"), std::string::npos);
  EXPECT_TRUE(context_of(old, "function__return").warnings.empty());
  EXPECT_TRUE(context_of(later, "function__entry").warnings.empty());
}

TEST_F(UserProbes, Lists) {
  EXPECT_EQ(shown(list_probes("uprobe:" + path + ":read_*", false, roots.env)),
            "uprobe:" + path + ":read_all uprobe:" + path + ":read_line");
  EXPECT_EQ(shown(list_probes("usdt:" + path + ":lib:*", false, roots.env)), "usdt:" + path + ":lib:stop");
  EXPECT_EQ(list_probes("usdt:" + path, false, roots.env)->size(), 3u);
  EXPECT_EQ(shown(list_probes("usdt:" + path + ":start", true, roots.env)),
            "usdt:" + path + ":app:start\n    int32 arg0  // -4@%edi\n    uint64 arg1  // 8@%rsi");
}

TEST(MappedFiles, OwnProcess) {
  ProbeEnvironment env;
  env.pid = getpid();
  auto files = mapped_binaries(env.pid, env.roots);
  ASSERT_TRUE(files && !files->empty());
  auto program = program_of(env.pid, env.roots);
  ASSERT_TRUE(program);
  EXPECT_NE(std::ranges::find(*files, *program), files->end());
  EXPECT_FALSE(mapped_binaries(999999999, env.roots));
  EXPECT_FALSE(program_of(999999999, env.roots));
}

// A process elsewhere: its path is none of ours, so the kernel's own reference to the file is used.
TEST(MappedFiles, ReplacedFile) {
  FakeRoots roots;
  roots.write("proc/42/maps",
              "00400000-0041f000 r--p 00000000 fe:00 247970                             /gone/app (deleted)\n"
              "0041f000-006d2000 r-xp 0001f000 fe:00 247970                             /gone/app (deleted)\n"
              "7ffe0000-7ffe1000 r-xp 00000000 00:00 0                                  [vdso]\n");
  auto files = mapped_binaries(42, roots.env.roots);
  ASSERT_TRUE(files);
  EXPECT_EQ(*files, std::vector{roots.env.roots.procfs + "/42/map_files/41f000-6d2000"});
}

}  // namespace
}  // namespace awl
