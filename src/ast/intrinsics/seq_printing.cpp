#include "ast/intrinsics/seq_printing.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/output/printf.h"

namespace awl::ast {

namespace {

constexpr std::string_view kNotByKernel = "the kernel has no such conversion";

// One printf, as steps: literal text and conversions that the kernel knows are gathered into calls of bpf_seq_printf,
// what has no limit there (text with bytes beyond ASCII, long strings) is written between them.
class ReaderText {
 public:
  ReaderText(Lowering &low, const CallSite &call)
      : low_(low), call_(call), span_(call.node->span), text_(*low.literal(call.args[0])) {}

  void lower() {
    const Format format = *parse_format(text_);
    if (format.takes_stars(call_.args.size() - 1)) {
      refuse(call_.args[0]->span, "*", "write the width as a number");
      return;
    }
    size_t next = 1;
    for (const Format::Piece &piece : format.pieces) {
      add_literal(piece.literal);
      if (piece.has_conversion) add_conversion(piece.conversion, call_.args[next++]);
    }
    flush();
  }

 private:
  void refuse(Span span, const std::string &what, const std::string &hint, std::string_view why = kNotByKernel) {
    low_.diagnostics().emit(diag::PinnedFormat, span, what, std::string(why)).with_hint(hint);
  }
  void refuse(const Conversion &conversion, const Expr *arg, const std::string &hint) {
    refuse(arg->span, text_.substr(conversion.begin, conversion.end - conversion.begin), hint);
  }

  // bpf_seq_printf takes printable ASCII and blanks in its format.
  void add_literal(const std::string &literal) {
    const bool usual = std::ranges::all_of(literal, [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; });
    if (!usual) {
      flush();
      auto step = make_step<typed::SeqPrint>(span_);
      step->format = literal;
      low_.add(std::move(step));
      return;
    }
    plain_ += literal;
    for (const char c : literal) format_ += c == '%' ? "%%" : std::string(1, c);
  }

  void add_conversion(const Conversion &conversion, Expr *arg) {
    typed::ValuePtr value = low_.value(arg);
    if (!value || value->type->is_poison()) return;
    switch (conversion.takes) {
      case ConversionClass::Integer: return add_integer(conversion, arg, std::move(value));
      case ConversionClass::String: return add_shown(conversion, arg, std::move(value));
      case ConversionClass::Pointer:
        if (conversion.width > 0) return refuse(conversion, arg, "write `0x%lx`");
        add("0x%lx", std::move(value));
        return;
      case ConversionClass::Buffer:
      case ConversionClass::GfpFlags:
      case ConversionClass::Real: return refuse(conversion, arg, "");
    }
  }

  // The field that a conversion asks for: its flags and width.
  static std::string field(const Conversion &conversion) {
    std::string out = "%";
    if (conversion.zero) out += '0';
    if (conversion.left) out += '-';
    if (conversion.plus) out += '+';
    if (conversion.blank) out += ' ';
    return conversion.width > 0 ? out + std::to_string(conversion.width) : out;
  }

  void add_integer(const Conversion &conversion, Expr *arg, typed::ValuePtr value) {
    if (conversion.letter == 'c') return add_character(conversion, std::move(value));
    if (conversion.letter == 'o') return refuse(conversion, arg, "write `%x`");
    if (conversion.alternate) return refuse(conversion, arg, "write `0x%x`");
    if (conversion.precision >= 0) return refuse(conversion, arg, "a width pads with zeros, as in `%08d`");
    const auto bytes = static_cast<uint32_t>(conversion.bits / 8);
    const Type *type = low_.store().integer(bytes, conversion.letter == 'd');
    auto cut = make_value<typed::Convert>(type, value->span);
    cut->operand = std::move(value);
    add(field(conversion) + 'l' + conversion.letter, std::move(cut));
  }

  // As a string of one byte: `%c` is younger than iterators (Linux 5.15).
  void add_character(const Conversion &conversion, typed::ValuePtr value) {
    auto byte = make_value<typed::Convert>(low_.store().integer(1, false), value->span);
    byte->operand = std::move(value);
    auto text = make_value<typed::Compose>(low_.store().string(2), byte->span);
    text->parts.emplace_back(0, std::move(byte));
    add(field(conversion) + 's', std::move(text));
  }

  void add_shown(const Conversion &conversion, Expr *arg, typed::ValuePtr value) {
    const Type *type = value->type;
    if (type->kind == TypeKind::Int && type->display == Display::None) {
      if (!conversion.plain && (conversion.alternate || conversion.precision >= 0))
        return refuse(conversion, arg, "write `%ld`");
      add(field(conversion) + (type->is_signed ? "ld" : "lu"), std::move(value));
      return;
    }
    if (!type->is_string() || type->display != Display::None) {
      refuse(arg->span, text_.substr(conversion.begin, conversion.end - conversion.begin),
             type->is_scalar() ? "write `%d`, or `%p` for an address" : "",
             fmt::format("{} becomes text in awl, not in the kernel", describe(type)));
      return;
    }
    if (conversion.precision >= 0) return refuse(conversion, arg, "give `str()` a length");
    if (conversion.width == 0) return add_string(std::move(value));
    if (type->size <= typed::SeqPrint::kMostBytes) return add(field(conversion) + 's', std::move(value));
    add_padded(conversion, std::move(value));
  }

  void add_string(typed::ValuePtr value) {
    flush();
    auto step = make_step<typed::SeqString>(value->span);
    const ConfigValues &config = low_.input().config;
    if (value->type->size == config.max_strlen) step->trailer = config.str_trunc_trailer;
    step->value = std::move(value);
    low_.add(std::move(step));
  }

  // A string that may be too long for bpf_seq_printf fills its field if it is.
  void add_padded(const Conversion &conversion, typed::ValuePtr value) {
    const Type *type = value->type;
    const Span span = value->span;
    if (conversion.width >= static_cast<int>(typed::SeqPrint::kMostBytes))
      return refuse(span, text_.substr(conversion.begin, conversion.end - conversion.begin), "give `str()` a length",
                    "it may be too wide");
    flush();
    const uint32_t local = low_.new_local(type);
    low_.set_local(local, std::move(value), span);
    auto length = make_value<typed::StringLength>(low_.store().uint64(), span);
    length->operand = low_.get_local(local, span);
    auto branch = make_step<typed::Branch>(span);
    branch->condition = make_binary(typed::Op::Less, false, std::move(length),
                                    make_const(low_.store().uint64(), static_cast<uint64_t>(conversion.width), span),
                                    low_.store().boolean());
    branch->then = low_.collect([&] {
      auto head = make_value<typed::Part>(low_.store().string(typed::SeqPrint::kMostBytes), span);
      head->operand = low_.get_local(local, span);
      add(field(conversion) + 's', std::move(head));
      flush();
    });
    branch->otherwise = low_.collect([&] { add_string(low_.get_local(local, span)); });
    low_.add(std::move(branch));
  }

  void add(const std::string &conversion, typed::ValuePtr value) {
    if (args_.size() == typed::SeqPrint::kMostArgs) flush();
    format_ += conversion;
    args_.push_back(std::move(value));
  }

  // The step for what is gathered so far.
  void flush() {
    if (plain_.empty() && args_.empty()) return;
    auto step = make_step<typed::SeqPrint>(span_);
    step->format = args_.empty() ? plain_ : format_;
    step->args = std::exchange(args_, {});
    plain_.clear();
    format_.clear();
    low_.add(std::move(step));
  }

  Lowering &low_;
  const CallSite &call_;
  Span span_;
  std::string text_;
  std::string plain_, format_;  // what is gathered; the literal text alone, and with conversions
  typed::Values args_;
};

}  // namespace

void print_to_reader(Lowering &low, const CallSite &call) { ReaderText(low, call).lower(); }

}  // namespace awl::ast
