#include <fmt/format.h>

#include "runtime/output/printf.h"

namespace awl {

namespace {

// Widths beyond this are a mistake, and would let a line grow without bound.
constexpr int kMaxWidth = 4096;

struct Reader {
  std::string_view text;
  size_t at = 0;

  [[nodiscard]] char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  bool take(char c) {
    if (peek() != c || at >= text.size()) return false;
    at++;
    return true;
  }
  int take_number() {
    int number = 0;
    for (; peek() >= '0' && peek() <= '9'; at++) number = std::min(number * 10 + (peek() - '0'), kMaxWidth);
    return number;
  }
};

void parse_flags(Reader &in, Conversion &conversion) {
  while (true) {
    if (in.take('-'))
      conversion.left = true;
    else if (in.take('+'))
      conversion.plus = true;
    else if (in.take(' '))
      conversion.blank = true;
    else if (in.take('#'))
      conversion.alternate = true;
    else if (in.take('0'))
      conversion.zero = true;
    else
      return;
  }
}

void parse_length(Reader &in, Conversion &conversion) {
  switch (in.peek()) {
    case 'h':
      in.at++;
      conversion.bits = in.take('h') ? 8 : 16;
      break;
    case 'l':
      in.at++;
      in.take('l');
      conversion.bits = 64;
      break;
    case 'j':
    case 'z':
    case 't':
    case 'L':
      in.at++;
      conversion.bits = 64;
      break;
    default: break;
  }
}

Result<void> parse_letter(Reader &in, Conversion &conversion) {
  size_t at = in.at;
  char letter = in.peek();
  if (at >= in.text.size()) return fail(fmt::format("conversion `{}` is incomplete", in.text.substr(conversion.begin)));
  in.at++;
  conversion.letter = letter;
  switch (letter) {
    case 'i': conversion.letter = 'd'; break;
    case 'd':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
    case 'c': break;
    case 'p': conversion.takes = ConversionClass::Pointer; break;
    case 's': conversion.takes = ConversionClass::String; break;
    case 'r':
      conversion.takes = ConversionClass::Buffer;
      if (in.peek() == 'x' || in.peek() == 'h') conversion.buffer_style = in.text[in.at++];
      break;
    case 'g':
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'G':
      conversion.takes = ConversionClass::Real;
      if (letter == 'g' && in.take('r')) {
        conversion.letter = 'r';
        conversion.buffer_style = 'g';
        conversion.takes = ConversionClass::GfpFlags;
      }
      break;
    default:
      return fail(fmt::format("unknown conversion `{}`", in.text.substr(conversion.begin, in.at - conversion.begin)),
                  letter == 'n' ? "" : "a percent sign is written `%%`");
  }
  return {};
}

Result<Conversion> parse_conversion(Reader &in) {
  Conversion conversion;
  conversion.begin = static_cast<uint32_t>(in.at);
  in.at++;  // %
  size_t flags_begin = in.at;
  parse_flags(in, conversion);
  conversion.star_width = in.take('*');
  if (!conversion.star_width) conversion.width = in.take_number();
  if (in.take('.')) {
    conversion.star_precision = in.take('*');
    conversion.precision = conversion.star_precision ? -1 : in.take_number();
  }
  conversion.plain = in.at == flags_begin;
  parse_length(in, conversion);
  if (auto letter = parse_letter(in, conversion); !letter) return std::unexpected(std::move(letter).error());
  conversion.end = static_cast<uint32_t>(in.at);
  return conversion;
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  Format format;
  Reader in{text};
  Format::Piece piece;
  while (in.at < text.size()) {
    if (in.peek() != '%') {
      size_t end = std::min(text.find('%', in.at), text.size());
      piece.literal += text.substr(in.at, end - in.at);
      in.at = end;
      continue;
    }
    if (in.peek(1) == '%') {
      piece.literal += '%';
      in.at += 2;
      continue;
    }
    piece.conversion = TRY(parse_conversion(in));
    piece.has_conversion = true;
    format.conversions++;
    format.stars += (piece.conversion.star_width ? 1 : 0) + (piece.conversion.star_precision ? 1 : 0);
    format.pieces.push_back(std::move(piece));
    piece = {};
  }
  if (!piece.literal.empty()) format.pieces.push_back(std::move(piece));
  return format;
}

bool accepts(const Conversion &conversion, const Type *type) {
  if (!type || type->is_poison()) return true;
  bool number = type->is_integral() || type->is_pointer();
  switch (conversion.takes) {
    case ConversionClass::Integer:
    case ConversionClass::Pointer:
    case ConversionClass::GfpFlags: return number;
    case ConversionClass::Real: return number || type->display == Display::Ratio;
    case ConversionClass::Buffer: return type->kind == TypeKind::Buffer;
    case ConversionClass::String: return type->kind != TypeKind::Void;
  }
  return false;
}

}  // namespace awl
