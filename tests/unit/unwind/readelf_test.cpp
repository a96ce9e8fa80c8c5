// Rows against what readelf says of the files of this machine. AWL_UNWIND_FILES="PATH..." takes others.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "base/strings.h"
#include "runtime/symbols/elf_file.h"
#include "runtime/unwind/eh_frame.h"

namespace awl::runtime::unwind {
namespace {

// "rsp+8" -> {"rsp", 8}
std::pair<std::string, int64_t> register_and_offset(const std::string &text) {
  const size_t sign = text.find_first_of("+-");
  if (sign == std::string::npos) return {text, 0};
  return {text.substr(0, sign), std::stoll(text.substr(sign))};
}

std::string describe(const Row &row) {
  const std::string rbp = row.saved_rbp == 0 ? "u" : fmt::format("c{}", 8 * row.saved_rbp);
  switch (row.cfa) {
    case Cfa::Rsp: return fmt::format("rsp+{} {}", 8 * row.offset, rbp);
    case Cfa::Rbp: return fmt::format("rbp+{} {}", 8 * row.offset, rbp);
    case Cfa::End: return "end";
    case Cfa::Unknown: return "unknown";
    default: return "exp";
  }
}

// In the words of describe().
std::string expected(const std::string &cfa, const std::string &rbp, const std::string &ra) {
  const auto [base, offset] = register_and_offset(cfa);
  if (cfa == "exp") return "exp";
  if (ra == "u") return "end";
  if ((base != "rsp" && base != "rbp") || ra != "c-8" || offset % 8 != 0 || offset / 8 > INT16_MAX) return "unknown";
  if (rbp == "u" || rbp == "s") return cfa + " u";
  return rbp.starts_with("c-") ? cfa + " " + rbp : "unknown";
}

struct Comparison {
  size_t rows = 0, unknown = 0;
  std::vector<std::string> differences;
};

// Lines of --debug-dump=frames-interp: "... FDE cie=... pc=BEGIN..END", "LOC CFA rbx rbp ra", a line for each row.
Comparison compare(const std::string &path, const std::vector<Row> &rows, uint64_t base) {
  Comparison out;
  FILE *pipe = popen(("readelf --debug-dump=frames-interp '" + path + "' 2>/dev/null").c_str(), "r");
  if (!pipe) return out;
  std::vector<std::string> columns;
  struct Said {
    uint64_t begin;
    std::string words;
  };
  std::vector<Said> function;
  uint64_t end = 0;
  auto finish = [&] {
    for (size_t i = 0; i < function.size(); i++) {
      const uint64_t last = (i + 1 < function.size() ? function[i + 1].begin : end) - 1;
      if (last < function[i].begin) continue;
      for (const uint64_t address : {function[i].begin, last}) {
        const std::string found = describe(row_at(rows, static_cast<uint32_t>(address - base)));
        out.rows++;
        if (found == "unknown") out.unknown++;
        if (found != function[i].words && !(function[i].words == "exp" && found == "unknown"))
          out.differences.push_back(fmt::format("{:x}: `{}`, readelf says `{}`", address, found, function[i].words));
      }
    }
    function.clear();
  };
  char *line = nullptr;
  size_t room = 0;
  bool is_function = false;
  while (getline(&line, &room, pipe) > 0) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
      if (!word.starts_with('(')) words.push_back(word);  // "r9 (r9)"
    if (words.empty()) {
      is_function = false;
      continue;
    }
    if (const size_t pc = std::string_view(line).find("pc="); pc != std::string_view::npos) {
      finish();
      end = std::stoull(words.back().substr(words.back().find("..") + 2), nullptr, 16);
      is_function = true;
    } else if (std::string_view(line).find(" CIE ") != std::string_view::npos) {
      finish();
      is_function = false;
    } else if (words[0] == "LOC") {
      columns = words;
    } else if (is_function && words.size() == columns.size()) {
      std::string rbp = "u", ra = "u";
      for (size_t i = 2; i < columns.size(); i++)
        if (columns[i] == "rbp")
          rbp = words[i];
        else if (columns[i] == "ra")
          ra = words[i];
      function.push_back({std::stoull(words[0], nullptr, 16), expected(words[1], rbp, ra)});
    }
  }
  finish();
  free(line);
  pclose(pipe);
  return out;
}

TEST(Readelf, AgreesOnEveryRow) {
  std::vector<std::string> paths = {"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
                                    "/usr/bin/python3.11"};
  if (const char *other = getenv("AWL_UNWIND_FILES")) paths = split(other, ' ');
  size_t compared = 0;
  for (const std::string &path : paths) {
    auto elf = ElfFile::open(path);
    if (!elf || !(*elf)->section(".eh_frame")) continue;
    const uint64_t base = (*elf)->lowest_address();
    const auto rows =
        read_eh_frame({*(*elf)->section(".eh_frame"), *(*elf)->section_address(".eh_frame"), base}, 4'000'000);
    ASSERT_TRUE(rows) << path;
    const Comparison result = compare(path, *rows, base);
    EXPECT_TRUE(result.differences.empty()) << path << ": " << result.differences.size() << " differences, the first "
                                            << fmt::format("{}", fmt::join(result.differences, "\n"));
    if (getenv("AWL_UNWIND_FILES"))
      fmt::print("{}: {} rows, {} addresses compared, {} unknown\n", path, rows->size(), result.rows, result.unknown);
    compared += result.rows;
  }
  if (compared == 0) GTEST_SKIP() << "neither readelf nor a file that it could read";
}

}  // namespace
}  // namespace awl::runtime::unwind
