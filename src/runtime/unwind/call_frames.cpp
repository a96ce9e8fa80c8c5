#include "runtime/unwind/call_frames.h"

#include <dwarf.h>

#include <limits>

namespace awl::runtime::unwind {

namespace {

constexpr size_t kMaxRemembered = 64;  // compilers need one or two
constexpr uint64_t kOperand = 0x3f;    // of operations that hold one in their lower six bits
constexpr int64_t kWord = 8;

constexpr auto kRbp = static_cast<uint8_t>(Register::Rbp), kRsp = static_cast<uint8_t>(Register::Rsp);

// rsp + 8 + ((rip & 15) >= 11) * 8: what linkers write for .plt
constexpr std::string_view kPltExpression("\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22", 11);

// The two forms that compilers use: a register and an offset, with or without a look at the memory there.
Rule parse_expression(std::string_view expression, Rule::Kind plain, Rule::Kind loaded) {
  if (plain == Rule::Kind::Offset && expression == kPltExpression) return {Rule::Kind::Plt, 0, 0};
  Reader reader(expression);
  const auto first = reader.fixed<uint8_t>();
  if (first < DW_OP_breg0 || first > DW_OP_breg31) return {Rule::Kind::Unfollowed, 0, 0};
  Rule rule{plain, static_cast<uint8_t>(first - DW_OP_breg0), reader.sleb()};
  if (!reader.at_end()) {
    if (reader.fixed<uint8_t>() != DW_OP_deref || !reader.at_end()) return {Rule::Kind::Unfollowed, 0, 0};
    rule.kind = loaded;
  }
  return reader.failed() ? Rule{Rule::Kind::Unfollowed, 0, 0} : rule;
}

bool fits_row(int64_t offset) {
  return offset % kWord == 0 && offset / kWord >= std::numeric_limits<int16_t>::min() &&
         offset / kWord <= std::numeric_limits<int16_t>::max();
}

int64_t multiply(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<int64_t>::max() : result;
}

}  // namespace

std::string_view Reader::take(uint64_t size) {
  if (size > bytes_.size()) {
    failed_ = true;
    bytes_.remove_prefix(bytes_.size());
    return {};
  }
  const std::string_view out = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return out;
}

std::string_view Reader::text() {
  const size_t end = bytes_.find('\0');
  if (end == std::string_view::npos) return take(bytes_.size() + 1);
  const std::string_view out = take(end);
  take(1);
  return out;
}

uint64_t Reader::uleb() {
  uint64_t value = 0;
  for (unsigned shift = 0; !failed_; shift += 7) {
    const auto byte = fixed<uint8_t>();
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

int64_t Reader::sleb() {
  uint64_t value = 0;
  unsigned shift = 0;
  uint8_t byte = 0x80;
  for (; !failed_ && (byte & 0x80) != 0; shift += 7) {
    byte = fixed<uint8_t>();
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
  }
  if (shift < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << shift;
  return static_cast<int64_t>(value);
}

Rule *Interpreter::rule_of(uint64_t number) {
  if (number == static_cast<uint64_t>(Register::Rbp)) return &rules_.rbp;
  if (number == static_cast<uint64_t>(Register::Return)) return &rules_.return_address;
  return nullptr;
}

void Interpreter::set(uint64_t number, Rule rule) {
  if (Rule *known = rule_of(number)) *known = rule;
}

void Interpreter::set_offset(uint64_t number, int64_t offset) {
  set(number, {Rule::Kind::AtCfa, 0, multiply(offset, common_.data_unit)});
}

void Interpreter::restore(uint64_t number) {
  if (number == static_cast<uint64_t>(Register::Rbp)) rules_.rbp = common_.initial.rbp;
  if (number == static_cast<uint64_t>(Register::Return)) rules_.return_address = common_.initial.return_address;
}

void Interpreter::set_cfa(uint64_t number, int64_t offset) {
  rules_.cfa = number <= std::numeric_limits<uint8_t>::max()
                   ? Rule{Rule::Kind::Offset, static_cast<uint8_t>(number), offset}
                   : Rule{Rule::Kind::Unfollowed, 0, 0};
}

std::optional<uint64_t> Interpreter::run() {
  while (!reader_.at_end()) {
    const auto operation = reader_.fixed<uint8_t>();
    const uint64_t operand = operation & kOperand;
    switch (operation & ~kOperand) {
      case DW_CFA_advance_loc: return operand * common_.code_unit;
      case DW_CFA_offset: set_offset(operand, static_cast<int64_t>(reader_.uleb())); break;
      case DW_CFA_restore: restore(operand); break;
      default:
        if (const auto advance = extended(operation)) return advance;
        break;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> Interpreter::extended(uint8_t operation) {
  const Rule unfollowed{Rule::Kind::Unfollowed, 0, 0};
  switch (operation) {
    case DW_CFA_nop: break;
    case DW_CFA_advance_loc1: return reader_.fixed<uint8_t>() * common_.code_unit;
    case DW_CFA_advance_loc2: return reader_.fixed<uint16_t>() * common_.code_unit;
    case DW_CFA_advance_loc4: return reader_.fixed<uint32_t>() * common_.code_unit;
    case DW_CFA_def_cfa: {
      const uint64_t number = reader_.uleb();
      set_cfa(number, static_cast<int64_t>(reader_.uleb()));
      break;
    }
    case DW_CFA_def_cfa_sf: {
      const uint64_t number = reader_.uleb();
      set_cfa(number, multiply(reader_.sleb(), common_.data_unit));
      break;
    }
    case DW_CFA_def_cfa_register: set_cfa(reader_.uleb(), rules_.cfa.offset); break;
    case DW_CFA_def_cfa_offset: rules_.cfa.offset = static_cast<int64_t>(reader_.uleb()); break;
    case DW_CFA_def_cfa_offset_sf: rules_.cfa.offset = multiply(reader_.sleb(), common_.data_unit); break;
    case DW_CFA_def_cfa_expression:
      rules_.cfa = parse_expression(reader_.take(reader_.uleb()), Rule::Kind::Offset, Rule::Kind::AtBase);
      break;
    case DW_CFA_offset_extended: {
      const uint64_t number = reader_.uleb();
      set_offset(number, static_cast<int64_t>(reader_.uleb()));
      break;
    }
    case DW_CFA_offset_extended_sf: {
      const uint64_t number = reader_.uleb();
      set_offset(number, reader_.sleb());
      break;
    }
    case DW_CFA_GNU_negative_offset_extended: {
      const uint64_t number = reader_.uleb();
      set_offset(number, multiply(static_cast<int64_t>(reader_.uleb()), -1));
      break;
    }
    case DW_CFA_restore_extended: restore(reader_.uleb()); break;
    case DW_CFA_undefined: set(reader_.uleb(), {Rule::Kind::Undefined, 0, 0}); break;
    case DW_CFA_same_value: set(reader_.uleb(), {}); break;
    case DW_CFA_register:
    case DW_CFA_val_offset:
    case DW_CFA_val_offset_sf:  // two numbers each
      set(reader_.uleb(), unfollowed);
      reader_.uleb();
      break;
    case DW_CFA_expression: {
      const uint64_t number = reader_.uleb();
      set(number, parse_expression(reader_.take(reader_.uleb()), Rule::Kind::AtBase, Rule::Kind::Unfollowed));
      break;
    }
    case DW_CFA_val_expression: {
      const uint64_t number = reader_.uleb();
      reader_.take(reader_.uleb());
      set(number, unfollowed);
      break;
    }
    case DW_CFA_remember_state:
      if (remembered_.size() < kMaxRemembered) remembered_.push_back(rules_);
      break;
    case DW_CFA_restore_state:
      if (remembered_.empty()) break;
      rules_ = remembered_.back();
      remembered_.pop_back();
      break;
    case DW_CFA_GNU_args_size: reader_.uleb(); break;
    default:  // its operands are not known, so neither is what follows
      rules_.cfa = unfollowed;
      reader_.take(reader_.left());
      break;
  }
  return std::nullopt;
}

Row row_of(const Rules &rules) {
  constexpr Row kUnknown{0, Cfa::Unknown, 0, 0};
  const auto &[cfa, rbp, return_address] = rules;
  if (return_address.kind == Rule::Kind::Undefined) return {0, Cfa::End, 0, 0};
  if (return_address.kind != Rule::Kind::AtCfa || return_address.offset != -kWord) return kUnknown;
  if (!fits_row(cfa.offset)) return kUnknown;
  Row row{0, Cfa::Unknown, 0, static_cast<int16_t>(cfa.offset / kWord)};
  if (cfa.kind == Rule::Kind::Plt)
    row.cfa = Cfa::Plt;
  else if (cfa.kind == Rule::Kind::Offset && cfa.base == kRsp)
    row.cfa = Cfa::Rsp;
  else if (cfa.kind == Rule::Kind::Offset && cfa.base == kRbp)
    row.cfa = Cfa::Rbp;
  else if (cfa.kind == Rule::Kind::AtBase && cfa.base == kRbp)
    row.cfa = Cfa::RbpIndirect;
  else
    return kUnknown;

  const bool at_rbp = rbp.kind == Rule::Kind::AtBase && rbp.base == kRbp;
  if (row.cfa == Cfa::RbpIndirect) return at_rbp && rbp.offset == 0 ? row : kUnknown;
  if (rbp.kind == Rule::Kind::Same || rbp.kind == Rule::Kind::Undefined) return row;
  // rbp + n is CFA - offset + n, where the CFA is made from rbp.
  int64_t saved = rbp.offset;
  if (at_rbp && row.cfa == Cfa::Rbp && fits_row(saved))
    saved -= cfa.offset;
  else if (rbp.kind != Rule::Kind::AtCfa)
    return kUnknown;
  if (saved == 0 || saved % kWord != 0 || saved / kWord < std::numeric_limits<int8_t>::min() ||
      saved / kWord > std::numeric_limits<int8_t>::max())
    return kUnknown;
  row.saved_rbp = static_cast<int8_t>(saved / kWord);
  return row;
}

}  // namespace awl::runtime::unwind
