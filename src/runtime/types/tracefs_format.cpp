// Format files of tracepoints:
//
//   name: sched_switch
//   ID: 316
//   format:
//           field:unsigned short common_type;       offset:0;       size:2; signed:0;
//           ...
//           field:char prev_comm[16];       offset:8;       size:16;        signed:0;
//           field:__data_loc char[] name;   offset:24;      size:4; signed:0;
//
//   print fmt: "..."
//
// The declaration is C as the author of the event wrote it, often with names of types and dimensions that mean
// nothing outside of the kernel's source. Offset, size and sign are facts and win over it.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "runtime/types/builtin_types.h"
#include "runtime/types/tracefs.h"

namespace awl {
namespace {

struct Declaration {
  std::string base;  // "unsigned long", "struct page", "char"
  std::string name;
  int pointers = 0;
  bool array = false;
  bool data_loc = false;
  bool rel_loc = false;
};

struct Line {
  Declaration declaration;
  uint32_t offset = 0;
  uint32_t size = 0;
  bool is_signed = false;
};

// "key:value;" anywhere behind the declaration.
std::optional<uint32_t> number_after(std::string_view line, std::string_view key) {
  size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  at += key.size();
  size_t end = line.find(';', at);
  if (end == std::string_view::npos) return std::nullopt;
  auto value = parse_unsigned(trim(line.substr(at, end - at)));
  if (!value || *value > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool is_qualifier(std::string_view word) {
  for (std::string_view known : {"const", "volatile", "__user", "__rcu", "__percpu", "__seg_gs"}) {
    if (word == known) return true;
  }
  return false;
}

std::optional<Declaration> parse_declaration(std::string_view text) {
  Declaration out;
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '[') {
      out.array = true;
      size_t close = text.find(']', i);
      if (close == std::string_view::npos) return std::nullopt;
      i = close + 1;
    } else if (text[i] == '*') {
      ++out.pointers;
      ++i;
    } else if (is_word(text[i])) {
      size_t begin = i;
      while (i < text.size() && is_word(text[i])) ++i;
      words.emplace_back(text.substr(begin, i - begin));
    } else {
      ++i;  // blanks, and parentheses of what macros left behind
    }
  }
  if (words.empty()) return std::nullopt;
  out.name = std::move(words.back());
  words.pop_back();
  for (const std::string &word : words) {
    if (word == "__data_loc" || word == "__rel_loc") {
      out.data_loc = true;
      out.rel_loc = word == "__rel_loc";
    } else if (!is_qualifier(word)) {
      out.base += (out.base.empty() ? "" : " ") + word;
    }
  }
  return out;
}

std::optional<Line> parse_line(std::string_view text) {
  constexpr std::string_view kField = "field:";
  size_t begin = text.find(kField), end = text.find(';');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
  begin += kField.size();
  auto declaration = parse_declaration(text.substr(begin, end - begin));
  std::string_view rest = text.substr(end + 1);
  auto offset = number_after(rest, "offset:"), size = number_after(rest, "size:");
  if (!declaration || !offset || !size) return std::nullopt;
  return Line{std::move(*declaration), *offset, *size, number_after(rest, "signed:").value_or(0) != 0};
}

class FormatParser {
 public:
  FormatParser(TypeStore &store, bool syscall) : store_(store), syscall_(syscall) {}

  Field field(const Line &line) {
    Field out;
    out.name = line.declaration.name;
    out.offset = line.offset;
    if (line.declaration.data_loc && line.size == 4) {
      out.data_loc = true;
      out.rel_loc = line.declaration.rel_loc;
      out.type = store_.pointer(element(line.declaration), AddressSpace::Kernel);
    } else {
      out.type = type(line);
    }
    return out;
  }

 private:
  const Type *lookup(const std::string &name) {
    if (name.empty()) return nullptr;
    auto found = store_.find(name);
    return found && *found ? **found : nullptr;
  }

  // What a pointer or a dynamic array holds.
  const Type *element(const Declaration &declaration) {
    const Type *type = lookup(declaration.base);
    if (!type) type = declaration.data_loc ? store_.integer(1, false) : store_.void_type();
    int pointers = declaration.pointers - (declaration.data_loc ? 0 : 1);
    for (int i = 0; i < std::min(pointers, 8); ++i) type = store_.pointer(type, space());
    return type;
  }

  const Type *type(const Line &line) {
    const Declaration &declaration = line.declaration;
    if (declaration.array) return array(line);
    if (declaration.pointers && line.size == 8) return store_.pointer(element(declaration), space());
    return scalar(declaration.base, line.size, line.is_signed);
  }

  const Type *array(const Line &line) {
    if (line.declaration.pointers)
      return store_.array(store_.pointer(element(line.declaration), space()), line.size / 8);
    const Type *element = lookup(line.declaration.base);
    if (!element || element->size == 0 || line.size % element->size) return bytes(line.size);
    // The sign is that of the elements.
    if (element->kind == TypeKind::Int && element->size > 1) element = store_.integer(element->size, line.is_signed);
    return store_.array(element, line.size / element->size);
  }

  const Type *scalar(const std::string &base, uint32_t size, bool is_signed) {
    if (base == "bool" && size == 1) return store_.boolean();
    bool tagged = base.starts_with("enum ") || base.starts_with("struct ") || base.starts_with("union ");
    bool fits_register = size == 1 || size == 2 || size == 4 || size == 8;
    // The names of integers are not looked up where size and sign say all: that could open the kernel's BTF.
    if (fits_register && !tagged && !syscall_) return store_.integer(size, is_signed);
    const Type *named = builtin_type(store_, base);
    if (!named) named = common_typedef(store_, base);
    if (!named) named = lookup(base);
    if (named && named->size == size) return named;
    if (named && syscall_ && size == 8 && named->is_integral()) return named;
    return fits_register ? store_.integer(size, is_signed) : bytes(size);
  }

  const Type *bytes(uint32_t size) { return store_.array(store_.integer(1, false), size); }
  [[nodiscard]] AddressSpace space() const { return syscall_ ? AddressSpace::User : AddressSpace::Kernel; }

  TypeStore &store_;
  bool syscall_;
};

}  // namespace

Result<const Type *> parse_tracefs_format(TypeStore &store, std::string_view event, std::string_view text) {
  FormatParser parser(store, event.starts_with("syscalls:"));
  Type type;
  type.kind = TypeKind::Struct;
  type.origin = Origin::Tracefs;
  type.name = event;
  bool in_format = false;
  for (const std::string &line : split(text, '\n')) {
    std::string_view trimmed = trim(line);
    if (trimmed.starts_with("print fmt:")) break;
    if (trimmed == "format:") in_format = true;
    if (!trimmed.starts_with("field:")) continue;
    auto parsed = parse_line(trimmed);
    if (!parsed) return fail(fmt::format("cannot read the field in `{}`", trimmed));
    uint64_t end = uint64_t{parsed->offset} + parsed->size;
    if (end > UINT16_MAX) return fail(fmt::format("field `{}` lies outside of any record", parsed->declaration.name));
    type.size = std::max(type.size, static_cast<uint32_t>(end));
    type.fields.push_back(parser.field(*parsed));
  }
  if (!in_format) return fail("not a format file of a tracepoint");
  return store.intern(std::move(type));
}

}  // namespace awl
