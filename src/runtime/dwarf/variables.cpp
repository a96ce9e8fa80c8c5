#include "runtime/dwarf/variables.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

namespace awl {

namespace {

constexpr int kMaxDepth = 64;

// What stands around an address, outermost first: functions, inlined ones, blocks.
void find_scopes(Dwarf_Die *around, uint64_t address, std::vector<Dwarf_Die> &out, int depth = 0) {
  Dwarf_Die child;
  if (depth > kMaxDepth || dwarf_child(around, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    const bool code = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
                      tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
    if (code && dwarf_haspc(&child, address) == 1) {
      out.push_back(child);
      return find_scopes(&child, address, out, depth + 1);
    }
    const bool names = tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
                       tag == DW_TAG_union_type || tag == DW_TAG_module;
    const size_t before = out.size();
    if (names) find_scopes(&child, address, out, depth + 1);
    if (out.size() != before) return;
  } while (dwarf_siblingof(&child, &child) == 0);
}

bool is_function(Dwarf_Die &die) {
  return dwarf_tag(&die) == DW_TAG_subprogram || dwarf_tag(&die) == DW_TAG_inlined_subroutine;
}

// The scopes from the innermost function on.
std::span<Dwarf_Die> innermost(std::vector<Dwarf_Die> &scopes) {
  auto function = std::ranges::find_if(scopes.rbegin(), scopes.rend(), is_function);
  if (function == scopes.rend()) return {};
  return std::span(scopes).subspan(static_cast<size_t>(scopes.rend() - function) - 1);
}

std::string name_of(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
  return name ? name : "";
}

// For each line that belongs to the function itself, where its code begins: what a probe of the line attaches to.
std::map<int, uint64_t> lines_of(Dwarf_Die *unit, Dwarf_Die *function) {
  std::map<int, uint64_t> out;
  Dwarf_Lines *lines = nullptr;
  size_t count = 0;
  if (dwarf_getsrclines(unit, &lines, &count) != 0) return out;
  for (size_t i = 0; i < count; i++) {
    Dwarf_Line *row = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    int line = 0;
    bool begins = false, ends = false;
    if (dwarf_lineaddr(row, &address) != 0 || dwarf_lineno(row, &line) != 0 || line <= 0) continue;
    dwarf_linebeginstatement(row, &begins);
    dwarf_lineendsequence(row, &ends);
    if (!begins || ends || dwarf_haspc(function, address) != 1) continue;
    if (auto [at, added] = out.try_emplace(line, address); !added) at->second = std::min<uint64_t>(at->second, address);
  }
  std::erase_if(out, [&](const auto &entry) {
    std::vector<Dwarf_Die> scopes;
    find_scopes(unit, entry.second, scopes);
    std::span<Dwarf_Die> inner = innermost(scopes);
    return inner.empty() || dwarf_dieoffset(&inner.front()) != dwarf_dieoffset(function);
  });
  return out;
}

// "line 7", "lines 11 to 13 and 20"; of more than four stretches the first ones.
std::string text_of(const std::vector<int> &lines, const std::map<int, uint64_t> &all) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < lines.size();) {
    size_t last = i;
    // Lines without code between two do not part them.
    while (last + 1 < lines.size() && std::next(all.find(lines[last]))->first == lines[last + 1]) last++;
    parts.push_back(last == i ? fmt::format("{}", lines[i]) : fmt::format("{} to {}", lines[i], lines[last]));
    i = last + 1;
  }
  if (parts.size() > 4) parts.resize(4);
  std::string out = lines.size() == 1 ? "line " : "lines ";
  for (size_t i = 0; i < parts.size(); i++) out += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return out;
}

class Search {
 public:
  Search(DebugFile &debug, Dwarf_Die unit, uint64_t address) : debug_(debug), unit_(unit), address_(address) {
    find_scopes(&unit_, address, scopes_);
  }

  std::vector<FoundVariable> run() {
    std::vector<FoundVariable> out;
    std::set<std::string> seen;
    std::span<Dwarf_Die> inner = innermost(scopes_);
    for (auto scope = inner.rbegin(); scope != inner.rend(); ++scope) {
      Dwarf_Die child;
      if (dwarf_child(&*scope, &child) != 0) continue;
      do {
        const int tag = dwarf_tag(&child);
        if (tag != DW_TAG_variable && tag != DW_TAG_formal_parameter) continue;
        std::string name = name_of(&child);
        if (name.empty() || !seen.insert(name).second) continue;
        FoundVariable found;
        found.die = child;
        found.variable.name = std::move(name);
        found.variable.place = place_at({debug_, scopes_.front(), address_}, &child);
        if (found.variable.place.kind == VariablePlace::Kind::Nowhere)
          found.variable.place.readable = elsewhere(&child, &inner.front());
        out.push_back(std::move(found));
      } while (dwarf_siblingof(&child, &child) == 0);
    }
    return out;
  }

 private:
  // Lines of the function at whose beginning the variable can be read; "" if there is none.
  std::string elsewhere(Dwarf_Die *variable, Dwarf_Die *function) {
    if (!lines_) lines_ = lines_of(&unit_, function);
    std::vector<int> good;
    for (const auto &[line, address] : *lines_)
      if (place_at({debug_, scopes_.front(), address}, variable).kind != VariablePlace::Kind::Nowhere)
        good.push_back(line);
    return good.empty() ? "" : text_of(good, *lines_);
  }

  DebugFile &debug_;
  Dwarf_Die unit_;
  uint64_t address_;
  std::vector<Dwarf_Die> scopes_;
  std::optional<std::map<int, uint64_t>> lines_;
};

}  // namespace

VariablePlace place_at(const LocationContext &context, Dwarf_Die *variable) {
  Dwarf_Attribute attribute;
  VariablePlace out;
  if (dwarf_attr_integrate(variable, DW_AT_const_value, &attribute)) {
    Dwarf_Sword number = 0;
    Dwarf_Block block;
    if (dwarf_formsdata(&attribute, &number) != 0) {
      out.reason = dwarf_formblock(&attribute, &block) == 0 ? "it is a constant that is no number"
                                                            : "it is a constant that awl cannot read";
      return out;
    }
    out.kind = VariablePlace::Kind::Value;
    out.steps.push_back({PlaceStep::Op::Number, static_cast<uint64_t>(number)});
    return out;
  }
  Dwarf_Op *operations = nullptr;
  size_t count = 0;
  if (!dwarf_attr_integrate(variable, DW_AT_location, &attribute))
    out.reason = "the compiler left it out of the program";
  else if (dwarf_getlocation_addr(&attribute, context.address, &operations, &count, 1) != 1)
    out.reason = "it was optimised out here, or has no value yet";
  else
    return read_location(context, &attribute, {operations, count});
  return out;
}

std::vector<FoundVariable> variables_at(DebugFile &debug, uint64_t address) {
  std::optional<Dwarf_Die> unit = debug.unit_of(address);
  return unit ? Search(debug, *unit, address).run() : std::vector<FoundVariable>{};
}

}  // namespace awl
