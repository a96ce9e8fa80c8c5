#include <gtest/gtest.h>

#include "parser/attach_text.h"
#include "unit/parser/helpers.h"

namespace awl {
namespace {

// The attach points of a script's first probe, joined by blanks; `!` and the first error if there is one.
std::string points(const std::string &text) {
  Parsed parsed = parse_text(text);
  if (!parsed.diagnostics.empty()) return "!" + parsed.errors()[0];
  std::string out;
  for (const ast::AttachPoint &point : parsed.program.probes.at(0).attach_points) {
    EXPECT_EQ(parsed.source.text(point.span), point.text);
    out += (out.empty() ? "" : " ") + point.text;
  }
  return out + (parsed.program.probes[0].predicate ? " /" : "");
}

TEST(AttachPoints, StandAlone) {
  for (const char *text : {"BEGIN",
                           "end",
                           "kprobe:f",
                           "kprobe:*foo*",
                           "kprobe:f+0x10",
                           "i:s:1",
                           "tracepoint:sched:*",
                           "usdt:./a.out:prov:name",
                           "uprobe:/x:0x1234",
                           "uprobe:bin@file.c:12",
                           "iter:task",
                           "uprobe:/a/b:cpp:\"ns::f(int, char*)\"",
                           "uprobe:./x:\"quoted {name}\"",
                           "*:foo",
                           "profile:hz:99",
                           "watchpoint:0x1000:8:rw",
                           "uprobe:/usr/lib*/libc.so.6:malloc",
                           "iter:task:/sys/fs/bpf/pin",
                           "uprobe:\"/a b\":f",
                           "software:faults:",
                           "uprobe:$1:main",
                           "uprobe:./bin@src/file.c:12",
                           "usdt:/a/*:*",
                           "structural:x",
                           "let:x"}) {
    EXPECT_EQ(points(std::string(text) + " { 1 }"), text);
    EXPECT_EQ(points(std::string(text) + "{ 1 }"), text);
    EXPECT_EQ(points(std::string(text) + "\n/pid == 1/\n{ 1 }"), std::string(text) + " /");
  }
}

TEST(AttachPoints, PredicateWithoutBlank) {
  EXPECT_EQ(points("kprobe:f/pid==1/{ 1 }"), "kprobe:f /");
  EXPECT_EQ(points("kprobe:f/pid/2==1/{ 1 }"), "kprobe:f /");
  EXPECT_EQ(points("uprobe:/bin/bash:readline/pid==1/{ 1 }"), "uprobe:/bin/bash:readline /");
  EXPECT_EQ(points("uprobe:/bin/bash:readline /pid == 1/ { 1 }"), "uprobe:/bin/bash:readline /");
  EXPECT_EQ(points("u:f/pid == 1/{ 1 }"), "u:f /");
  EXPECT_EQ(points("t:a:b/args.x == 1/{ 1 }"), "t:a:b /");
}

TEST(AttachPoints, Lists) {
  EXPECT_EQ(points("kprobe:a,kprobe:b { 1 }"), "kprobe:a kprobe:b");
  EXPECT_EQ(points("kprobe:a ,\n // why\n kprobe:b,\n{ 1 }"), "kprobe:a kprobe:b");
  EXPECT_EQ(points("BEGIN,END{}"), "BEGIN END");
  EXPECT_EQ(points("k:a, k:b, /pid/ {}"), "k:a k:b /");
}

TEST(AttachPoints, Names) {
  Parsed parsed = parse_text("mine=kprobe:f, kprobe:g { 1 }");
  ASSERT_TRUE(parsed.diagnostics.empty());
  EXPECT_EQ(parsed.program.probes[0].name, "mine");
  EXPECT_EQ(parsed.program.probes[0].attach_points[0].text, "kprobe:f");
}

TEST(AttachPoints, PathAlone) {
  // Without a function there is no probe, but its provider says so best.
  EXPECT_EQ(points("uprobe:/bin/bash { 1 }"), "uprobe:/bin/bash");
}

TEST(AttachPoints, Comments) {
  EXPECT_EQ(points("kprobe:f//behind\n{ 1 }"), "kprobe:f");
  EXPECT_EQ(points("kprobe:f /* between */ { 1 }"), "kprobe:f");
  EXPECT_EQ(points("#!/usr/bin/env awl\nkprobe:f { 1 }"), "kprobe:f");
}

// As bpftrace took them up to 0.23.
TEST(AttachPoints, BlanksBesideColons) {
  auto text_of = [](const std::string &text) {
    Parsed parsed = parse_text(text);
    if (!parsed.diagnostics.empty()) return "!" + parsed.errors()[0];
    const ast::Probe &probe = parsed.program.probes.at(0);
    std::string out = probe.attach_points.back().text;
    EXPECT_FALSE(parsed.source.text(probe.attach_points.back().span).ends_with(' '));
    return out + (probe.predicate ? " /" : "");
  };
  EXPECT_EQ(text_of("interval : s : 1 { 1 }"), "interval:s:1");
  EXPECT_EQ(text_of("interval:s: 1,BEGIN{}"), "BEGIN");
  EXPECT_EQ(text_of("kprobe: f /pid == 1/ { 1 }"), "kprobe:f /");
  EXPECT_EQ(text_of("uprobe: /bin/sh : main { 1 }"), "uprobe:/bin/sh:main");
  EXPECT_EQ(text_of("uprobe:/bin/sh:\tmain/pid == 1/{}"), "uprobe:/bin/sh:main /");
  EXPECT_EQ(text_of("uprobe:\"/a :b\": f { 1 }"), "uprobe:\"/a :b\":f");
  EXPECT_EQ(text_of("software:faults: /pid == 1/ { 1 }"), "software:faults: /");
  EXPECT_EQ(text_of("software:faults: // why: x\n{ 1 }"), "software:faults:");
  EXPECT_EQ(text_of("kprobe:f /pid ? 1 : 0/ { 1 }"), "kprobe:f /");
  EXPECT_EQ(text_of("kprobe: f kprobe:g {}"), "!1:11 E0101 unexpected `kprobe:g`, expected `{`, `,` or a predicate");
}

TEST(AttachPoints, Wrong) {
  EXPECT_EQ(points("kprobe:f kprobe:g { 1 }"), "!1:10 E0101 unexpected `kprobe:g`, expected `{`, `,` or a predicate");
  EXPECT_EQ(points("kprobe:f"), "!1:1 E0101 unexpected end of script, expected `{`, `,` or a predicate");
  EXPECT_EQ(points("kprobe:f;"), "!1:9 E0101 unexpected `;`, expected `{`, `,` or a predicate");
  EXPECT_EQ(points("kprobe:f /pid == 1 { 1 }"), "!1:20 E0101 unexpected `{`, expected `/` before `{`");
  EXPECT_EQ(points("{ 1 }"), "!1:1 E0101 unexpected `{`, expected a probe");
}

}  // namespace
}  // namespace awl
