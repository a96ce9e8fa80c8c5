// Layouts of C types, asked of the C compiler: a program with static assertions is made of what was read, and compiled.
// AWL_ALL_HEADERS=1 does so for all of /usr/include/linux and prints a table.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "ast/passes/script_types.h"
#include "base/strings.h"
#include "unit/parser/helpers.h"

namespace awl {
namespace {

namespace fs = std::filesystem;

bool has_compiler() { return std::system("cc --version >/dev/null 2>&1") == 0; }

// What the compiler is asked about the types of a parsed text.
class Questions {
 public:
  explicit Questions(const ast::Program &program) {
    store_.add_source(ast::make_script_source(program.types, program.unread_types, problems_));
    for (const ast::CType &type : program.types)
      if (type.header.empty() || type.header.starts_with('/')) ask(type);  // not what we say for <stddef.h>
  }
  [[nodiscard]] std::string assertions() const { return assertions_; }
  [[nodiscard]] std::string bitfields() const { return bitfields_; }
  [[nodiscard]] const std::set<std::string> &names() const { return names_; }
  [[nodiscard]] const std::vector<std::string> &failures() const { return failures_; }

 private:
  void ask(const ast::CType &definition) {
    bool is_typedef = definition.kind == ast::CTypeKind::Typedef;
    std::string keyword = definition.kind == ast::CTypeKind::Struct  ? "struct "
                          : definition.kind == ast::CTypeKind::Union ? "union "
                          : is_typedef                               ? ""
                                                                     : "enum ";
    if (!definition.name.empty() && names_.insert(keyword + definition.name).second) ask(keyword + definition.name);
    for (const ast::CField &field : definition.fields)
      if (field.inner) ask(*field.inner);
  }

  void ask(const std::string &name) {
    auto found = store_.find(name);
    if (!found || !*found) {
      failures_.push_back(name + ": " + (found ? "not found" : found.error().message));
      return;
    }
    const Type *type = **found;
    if (type->kind == TypeKind::Void || type->kind == TypeKind::Pointer) return;
    check(fmt::format("sizeof({}) == {}", name, type->size), name);
    if (!type->is_struct()) return;
    auto fields = store_.fields(type);
    if (!fields) failures_.push_back(name + ": " + fields.error().message);
    for (const Field &field : fields ? **fields : std::vector<Field>()) {
      if (field.name.empty()) continue;
      if (field.bits)
        bitfields_ += fmt::format(
            "  {{ {} x = {{0}}; memset(&x, 0, sizeof(x)); x.{} = -1; bits(\"{}.{}\", &x, sizeof(x), {}, {}); }}\n",
            name, field.name, name, field.name, field.offset * 8 + field.bit_offset, field.bits);
      else
        check(fmt::format("__builtin_offsetof({}, {}) == {}", name, field.name, field.offset), name);
    }
  }

  void check(const std::string &condition, const std::string &) {
    assertions_ += fmt::format("_Static_assert({0}, \"{0}\");\n", condition);
  }

  TypeStore store_;
  Diagnostics problems_;
  std::set<std::string> names_;
  std::vector<std::string> failures_;
  std::string assertions_, bitfields_;
};

constexpr const char *kMain = R"(
static int wrong;
static void bits(const char *name, const void *data, unsigned long size, unsigned first, unsigned count) {
  for (unsigned bit = 0; bit < size * 8; bit++) {
    int set = ((const unsigned char *)data)[bit / 8] >> (bit % 8) & 1;
    if (set != (bit >= first && bit < first + count)) {
      printf("%s: bit %u is %d\n", name, bit, set);
      wrong = 1;
      return;
    }
  }
}
int main(void) {
)";

struct Answer {
  bool good = false;
  std::string said;
};

// Compiles and runs the questions behind `text`.
Answer compile(const std::string &text, const Questions &questions) {
  fs::path folder = fs::temp_directory_path() / fmt::format("awl-layout-{}", getpid());
  fs::create_directories(folder);
  std::ofstream(folder / "ask.c") << text << "\n"
                                  << questions.assertions() << "\n#include <stdio.h>\n#include <string.h>\n"
                                  << kMain << questions.bitfields() << "  return wrong;\n}\n";
  std::string command = fmt::format("cd {} && cc -w -o ask ask.c >said 2>&1 && ./ask >said 2>&1", folder.string());
  Answer answer;
  answer.good = std::system(command.c_str()) == 0;
  answer.said = read_file(folder / "said").value_or("");
  fs::remove_all(folder);
  return answer;
}

constexpr const char *kShapes = R"(
#define SIZE (2 + \
              1)
#define ARRAY(type, name, n) type name[n]
#define JOIN(a, b) a##_##b
typedef unsigned long long int huge;
typedef unsigned int wide_word __attribute__((aligned(16)));
typedef struct { char a; short b; } pair_t, *pair_p, pairs_t[3];
enum color { RED = 1 << 3, GREEN, BLUE = RED | 1, LAST = sizeof(long) + (unsigned char)257 };
enum tiny { T0, T1 } __attribute__((packed));
enum wide { W = 0x100000000 };
enum context { C_HIGH = (unsigned long long)-32, C_LOW = 1 };
enum topmost { TOPMOST = 1ULL << 63 };
union either { char c[5]; short s; struct { int x; } in; };
struct plain { char a; short b; int c; long d; void *e; char f; };
struct arrays { char a[2][3]; int b[SIZE][LAST]; ARRAY(short, c, 4); struct plain d[2]; char last[]; };
struct words { unsigned long long int a; long long b; short int unsigned c; signed char d; long unsigned e; char f; long double g; };
struct pointers { char *const *volatile a; int (*call)(int, void *); struct unknown *next; void (*table[4])(void); char (*row)[8]; char b; };
struct nested { char a; struct { char b; struct { long c; } d; union { int e; double f; }; }; struct inner { short g; } h[2]; union either i; };
struct bits { unsigned a : 3, b : 7; int c : 20; unsigned d : 5; char e : 2; long f : 40; unsigned char g : 1; _Bool h : 1; };
struct breaks { unsigned a : 3; unsigned : 0; unsigned b : 3; unsigned : 9; char c; int : 0; char d; unsigned long e : 33; };
struct mixed { char a; unsigned b : 7; short c; unsigned d : 30; unsigned e : 3; };
struct packed { char a; int b; unsigned c : 5, d : 28; long e; struct plain f; } __attribute__((packed));
struct __attribute__((packed, aligned(4))) both { char a; long b; char c; };
struct members { char a; int b __attribute__((packed)); long c __attribute__((aligned(32))); char d; int e __attribute__((aligned(2))); };
struct __attribute__((__aligned__(sizeof(long) * 8))) line { int a; };
struct holds { char a; struct line b; wide_word c; pair_t d; pairs_t e; enum tiny f; enum wide g; enum color h; };
struct leading { __attribute__((aligned(8))) char a; char __attribute__((aligned(16))) b; int *__attribute__((aligned(16))) c; };
struct bare { char a; int b __attribute__((aligned)); };
union packed_union { char a[3]; int b; long c; } __attribute__((packed));
typedef struct __attribute__((packed)) JOIN(tagged, type) { char a; huge b; } tagged_t;
struct empty { };
struct has_empty { int a; struct empty b; char c; };
struct flexible { int n; struct { struct { } none; int data[]; }; };
#pragma pack(push, 2)
struct packed_two { char a; int b; long c; unsigned d : 9; unsigned e : 20; };
struct packed_in { char a; struct { char b; long c; } d; };
#pragma pack(pop)
#pragma pack(1)
struct packed_one { char a; long b; unsigned c : 3; unsigned long d : 60; };
#pragma pack()
struct unpacked { char a; long b; };
struct wide_numbers { char a; __int128 b; char c; float d; unsigned __int128 e; };
typedef int mode_word __attribute__((mode(word)));
struct modes { char a; mode_word b; int c __attribute__((__mode__(__HI__))); char d; };
#if SIZE == 3 && defined(JOIN) && 'a' == 97
struct chosen { int a; };
#elif 1
struct chosen { char a; };
#endif
)";

TEST(CLayout, ShapesAreAsTheCompilerHasThem) {
  if (!has_compiler()) GTEST_SKIP() << "there is no cc";
  Parsed parsed = parse_text(kShapes);
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  Questions questions(parsed.program);
  EXPECT_EQ(questions.failures(), std::vector<std::string>());
  EXPECT_GT(questions.names().size(), 38U);
  Answer answer = compile(kShapes, questions);
  EXPECT_TRUE(answer.good) << answer.said;
}

// Names of the structs and unions that a compiler finds in a header.
std::set<std::string> defined_in(const std::string &header) {
  std::string file = fs::temp_directory_path() / fmt::format("awl-defined-{}", getpid());
  std::set<std::string> out;
  if (std::system(fmt::format("echo '#include <{}>' | cc -E -P -x c - >{} 2>/dev/null", header, file).c_str()) == 0) {
    std::string text = read_file(file).value_or("");
    static const std::regex kDefinition(R"(\b(struct|union)\s+(\w+)\s*(__attribute__\s*\(\([^{};]*\)\)\s*)?\{)");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), kDefinition); it != std::sregex_iterator(); ++it)
      out.insert((*it)[1].str() + " " + (*it)[2].str());
  }
  fs::remove(file);
  return out;
}

struct HeaderResult {
  size_t defined = 0, read = 0;
  std::vector<std::string> missing;
  Answer answer;
  bool compiles = true;
};

HeaderResult try_header(const std::string &header) {
  HeaderResult result;
  ParseOptions options;
  options.headers.folders = {"/usr/include", "/usr/include/x86_64-linux-gnu", "/usr/include/aarch64-linux-gnu"};
  std::string include = "#include <" + header + ">\n";
  Parsed parsed = parse_text(include, options);
  for (const Diagnostic &d : parsed.diagnostics.all()) result.missing.push_back(d.message);
  for (const ast::UnreadType &type : parsed.program.unread_types)
    result.missing.push_back(fmt::format("{} ({}: {})", type.name, type.header, type.why));
  Questions questions(parsed.program);
  for (const std::string &failure : questions.failures()) result.missing.push_back(failure);
  for (const std::string &name : defined_in(header)) {
    result.defined++;
    if (questions.names().contains(name))
      result.read++;
    else
      result.missing.push_back(name + " is not among what was read");
  }
  Parsed nothing = parse_text("");
  result.compiles = compile(include, Questions(nothing.program)).good;
  if (result.compiles) result.answer = compile(include, questions);
  return result;
}

class SystemHeader : public testing::TestWithParam<const char *> {};

TEST_P(SystemHeader, IsRead) {
  if (!has_compiler() || !fs::exists(std::string("/usr/include/") + GetParam()))
    GTEST_SKIP() << "no cc or no such header";
  HeaderResult result = try_header(GetParam());
  EXPECT_EQ(result.missing, std::vector<std::string>());
  EXPECT_TRUE(!result.compiles || result.answer.good) << result.answer.said;
}

INSTANTIATE_TEST_SUITE_P(Headers, SystemHeader,
                         testing::Values("linux/bpf.h", "linux/ethtool.h", "linux/fuse.h", "linux/input.h",
                                         "linux/io_uring.h", "linux/perf_event.h", "linux/tcp.h", "netinet/in.h",
                                         "netinet/tcp.h", "pthread.h", "signal.h", "stdio.h", "sys/epoll.h", "time.h"));

TEST(CLayout, AllHeaders) {
  if (!std::getenv("AWL_ALL_HEADERS") || !has_compiler()) GTEST_SKIP() << "set AWL_ALL_HEADERS=1 for the table";
  size_t headers = 0, defined = 0, read = 0, compiled = 0, wrong = 0;
  std::set<std::string> paths;
  for (const auto &entry : fs::recursive_directory_iterator("/usr/include/linux"))
    if (entry.path().extension() == ".h") paths.insert(fs::relative(entry.path(), "/usr/include"));
  for (const std::string &path : paths) {
    HeaderResult result = try_header(path);
    headers++;
    defined += result.defined;
    read += result.read;
    compiled += result.compiles;
    wrong += result.compiles && !result.answer.good;
    for (const std::string &missing : result.missing) fmt::print("{}: {}\n", path, missing);
    if (result.compiles && !result.answer.good) fmt::print("{}: {}\n", path, result.answer.said);
  }
  fmt::print(
      "{} headers, {} of {} structs and unions read; {} headers compile by themselves, {} of them with a difference\n",
      headers, read, defined, compiled, wrong);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace awl
