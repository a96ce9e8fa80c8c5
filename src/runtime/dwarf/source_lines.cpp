#include "runtime/dwarf/source_lines.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "base/diagnostic.h"

namespace awl {

namespace {

bool is_file(std::string_view path, std::string_view wanted) {
  if (!path.ends_with(wanted)) return false;
  return path.size() == wanted.size() || wanted.starts_with('/') || path[path.size() - wanted.size() - 1] == '/';
}

std::string file_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

// The innermost function, inlined or not, that holds the address: its DIE's offset and its name.
std::pair<Dwarf_Off, std::string> function_around(Dwarf_Die *unit, uint64_t address) {
  Dwarf_Die *scopes = nullptr;
  const int count = dwarf_getscopes(unit, address, &scopes);
  std::pair<Dwarf_Off, std::string> out;
  for (int i = 0; i < count; i++) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine) continue;
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(&scopes[i], DW_AT_name, &attribute));
    out = {dwarf_dieoffset(&scopes[i]), name ? name : ""};
    break;
  }
  std::free(scopes);
  return out;
}

// Of a function in several parts, which one the address is in, and where in it: the part that is entered comes first,
// what hardly ever runs behind, wherever it lies.
std::pair<ptrdiff_t, uint64_t> part_of(Dwarf_Die *unit, Dwarf_Off function, uint64_t address) {
  Dwarf_Die die;
  Dwarf_Addr base = 0, begin = 0, end = 0;
  if (!dwarf_offdie(dwarf_cu_getdwarf(unit->cu), function, &die) || dwarf_tag(&die) != DW_TAG_subprogram)
    return {0, address};
  ptrdiff_t offset = 0, part = 0;
  while ((offset = dwarf_ranges(&die, offset, &base, &begin, &end)) > 0 && (address < begin || address >= end)) part++;
  return {part, address};
}

struct Search {
  std::string_view file;
  uint64_t line, column;
  bool file_seen = false;
  uint64_t next_line = 0;                  // the first behind it that has code
  std::set<std::string> files;             // names of all
  std::map<Dwarf_Off, SourcePlace> found;  // the lowest address of each function
};

void search_unit(Dwarf_Die *unit, Search &search) {
  Dwarf_Lines *lines = nullptr;
  size_t count = 0;
  if (dwarf_getsrclines(unit, &lines, &count) != 0) return;
  const char *last_path = nullptr;
  bool matches = false;
  for (size_t i = 0; i < count; i++) {
    Dwarf_Line *row = dwarf_onesrcline(lines, i);
    const char *path = dwarf_linesrc(row, nullptr, nullptr);
    if (!path) continue;
    if (path != last_path) {  // one text for all rows of a file
      last_path = path;
      matches = is_file(path, search.file);
      if (!matches) search.files.insert(file_name(path));
      search.file_seen |= matches;
    }
    int line = 0, column = 0;
    bool begins = false, ends = false;
    Dwarf_Addr address = 0;
    if (!matches || dwarf_lineno(row, &line) != 0 || dwarf_lineaddr(row, &address) != 0) continue;
    dwarf_linecol(row, &column);
    dwarf_linebeginstatement(row, &begins);
    dwarf_lineendsequence(row, &ends);
    if (!begins || ends || line <= 0) continue;
    const auto number = static_cast<uint64_t>(line);
    if (number > search.line && (search.next_line == 0 || number < search.next_line)) search.next_line = number;
    if (number != search.line || (search.column != 0 && static_cast<uint64_t>(column) != search.column)) continue;
    auto [function, name] = function_around(unit, address);
    auto [at, added] = search.found.try_emplace(function, SourcePlace{address, name});
    if (!added && part_of(unit, function, address) < part_of(unit, function, at->second.address))
      at->second.address = address;
  }
}

}  // namespace

Result<std::vector<SourcePlace>> line_places(DebugFile &debug, std::string_view file, uint64_t line, uint64_t column) {
  Search search{file, line, column, false, 0, {}, {}};
  Dwarf_CU *cu = nullptr;
  Dwarf_Die unit;
  while (dwarf_get_units(debug.dwarf(), cu, &cu, nullptr, nullptr, &unit, nullptr) == 0) search_unit(&unit, search);
  if (!search.file_seen) {
    std::string near = nearest(file_name(file), {search.files.begin(), search.files.end()});
    return fail(fmt::format("no source file `{}` in `{}`", file, debug.path()),
                near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  }
  if (search.found.empty())
    return fail(column != 0 ? fmt::format("no code begins at column {} of line {} of `{}`", column, line, file)
                            : fmt::format("line {} of `{}` has no code", line, file),
                search.next_line != 0 ? fmt::format("the next that has is line {}", search.next_line) : "");
  std::vector<SourcePlace> out;
  for (auto &[function, place] : search.found) out.push_back(std::move(place));
  std::ranges::sort(out, {}, &SourcePlace::address);
  return out;
}

}  // namespace awl
