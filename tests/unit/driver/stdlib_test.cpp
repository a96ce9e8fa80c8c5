// The declarations of stdlib/*.bt against what implements them.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ast/intrinsics/intrinsic.h"
#include "ast/passes/stdlib.h"
#include "parser/parser.h"

namespace awl::ast {
namespace {

Program parse_entry(const StdlibEntry &entry, Diagnostics &diagnostics) {
  return parse(Source("stdlib", std::string(entry.text)), {.defines = {}, .stdlib = true, .file = 0}, diagnostics);
}

std::vector<std::span<const Intrinsic>> families() {
  return {builtin_intrinsics(), memory_intrinsics(), stack_intrinsics(),  symbol_intrinsics(),  network_intrinsics(),
          time_intrinsics(),    print_intrinsics(),  map_intrinsics(),    control_intrinsics(), cgroup_intrinsics(),
          meta_intrinsics(),    string_intrinsics(), unsafe_intrinsics(), path_intrinsics()};
}

TEST(Stdlib, EachDeclarationParsesAndHasOneImplementation) {
  std::set<std::string_view> intrinsics;
  for (auto family : families())
    for (const Intrinsic &i : family) EXPECT_TRUE(intrinsics.insert(i.name).second) << i.name << " stands twice";
  std::set<std::string> used;
  for (const StdlibEntry &entry : stdlib_index()) {
    Diagnostics diagnostics;
    Program program = parse_entry(entry, diagnostics);
    ASSERT_FALSE(diagnostics.has_errors()) << entry.name << ": " << diagnostics.all()[0].message;
    ASSERT_EQ(program.functions.size(), 1U) << entry.name;
    const Function &f = program.functions[0];
    EXPECT_EQ(f.name, entry.name);
    EXPECT_FALSE(f.doc.empty()) << entry.name << " has no documentation";
    int ways = (attribute(f, "intrinsic") ? 1 : 0) + (attribute(f, "helper") ? 1 : 0) +
               (attribute(f, "aggregate") ? 1 : 0) + (f.body ? 1 : 0);
    EXPECT_EQ(ways, 1) << entry.name << " must have a body, or name an intrinsic, helper or aggregate";
    if (const Attribute *today = attribute(f, "old")) {
      EXPECT_EQ(std::ranges::count(stdlib_index(), today->argument, &StdlibEntry::name), 1) << entry.name;
    }
    if (const Attribute *a = attribute(f, "intrinsic")) {
      used.insert(a->argument);
      EXPECT_TRUE(intrinsics.contains(a->argument)) << "no intrinsic " << a->argument;
    }
  }
  for (std::string_view name : intrinsics) EXPECT_TRUE(used.contains(std::string(name))) << "nobody declares " << name;
}

TEST(Stdlib, FindsByNameAndParsesOnce) {
  int parsed = 0;
  FunctionTable table([&](const Source &source, Diagnostics &diagnostics) {
    parsed++;
    return parse(source, {.defines = {}, .stdlib = true, .file = 0}, diagnostics);
  });
  EXPECT_EQ(table.find("no_such_function"), nullptr);
  const Function *printf_ = table.find("printf");
  ASSERT_NE(printf_, nullptr);
  EXPECT_EQ(table.find("printf"), printf_);
  EXPECT_EQ(parsed, 1);
  EXPECT_TRUE(is_variadic(*printf_));
  EXPECT_EQ(required_params(*printf_), 1U);
  EXPECT_EQ(signature(*printf_), "printf(format: literal, ...values: any): void");
}

}  // namespace
}  // namespace awl::ast
