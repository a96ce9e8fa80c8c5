#include "runtime/output/printf.h"

#include <fmt/format.h>

#include "runtime/output/value_parts.h"

namespace awl {

namespace {

int64_t cut_signed(uint64_t number, int bits) {
  switch (bits) {
    case 8: return static_cast<int8_t>(number);
    case 16: return static_cast<int16_t>(number);
    case 32: return static_cast<int32_t>(number);
    default: return static_cast<int64_t>(number);
  }
}

uint64_t cut_unsigned(uint64_t number, int bits) { return bits == 64 ? number : number & ((1ULL << bits) - 1); }

// Writes digits so that they end before `end`, two at a time; returns where they begin.
char *decimal_digits(char *end, uint64_t number) {
  static constexpr char kPairs[] =
      "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
      "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
  while (number >= 100) {
    end -= 2;
    std::memcpy(end, kPairs + number % 100 * 2, 2);
    number /= 100;
  }
  if (number >= 10) {
    end -= 2;
    std::memcpy(end, kPairs + number * 2, 2);
  } else {
    *--end = static_cast<char>('0' + number);
  }
  return end;
}

// Puts what was appended since `begin` into its field.
void pad(std::string &out, size_t begin, const Conversion &conversion) {
  size_t length = out.size() - begin;
  auto width = static_cast<size_t>(conversion.width);
  if (length >= width) return;
  if (conversion.left)
    out.append(width - length, ' ');
  else
    out.insert(begin, width - length, ' ');
}

// Digits, sign and prefix by the rules of C.
void append_padded_integer(std::string &out, const Conversion &conversion, uint64_t number) {
  char buffer[24];
  std::string_view digits;
  std::string_view prefix;
  uint64_t magnitude = cut_unsigned(number, conversion.bits);
  if (conversion.letter == 'd') {
    int64_t value = cut_signed(number, conversion.bits);
    magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    prefix = value < 0 ? "-" : conversion.plus ? "+" : conversion.blank ? " " : "";
  }
  if (conversion.letter == 'd' || conversion.letter == 'u') {
    char *at = decimal_digits(buffer + sizeof(buffer), magnitude);
    digits = {at, static_cast<size_t>(buffer + sizeof(buffer) - at)};
  } else {
    unsigned shift = conversion.letter == 'o' ? 3 : 4;
    const char *names = conversion.letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char *at = buffer + sizeof(buffer);
    for (uint64_t rest = magnitude; rest || at == buffer + sizeof(buffer); rest >>= shift)
      *--at = names[rest & ((1U << shift) - 1)];
    digits = {at, static_cast<size_t>(buffer + sizeof(buffer) - at)};
    if (conversion.alternate && shift == 4 && magnitude) prefix = conversion.letter == 'X' ? "0X" : "0x";
  }
  if (conversion.precision == 0 && magnitude == 0) digits = {};
  size_t zeros = 0;
  if (conversion.precision >= 0 && digits.size() < static_cast<size_t>(conversion.precision))
    zeros = static_cast<size_t>(conversion.precision) - digits.size();
  if (conversion.letter == 'o' && conversion.alternate && zeros == 0 && (digits.empty() || digits[0] != '0')) zeros = 1;
  size_t length = prefix.size() + zeros + digits.size();
  size_t blanks = static_cast<size_t>(conversion.width) > length ? static_cast<size_t>(conversion.width) - length : 0;
  if (conversion.zero && !conversion.left && conversion.precision < 0) {
    zeros += blanks;
    blanks = 0;
  }
  if (!conversion.left) out.append(blanks, ' ');
  out.append(prefix).append(zeros, '0').append(digits);
  if (conversion.left) out.append(blanks, ' ');
}

void append_integer(std::string &out, const Conversion &conversion, uint64_t number) {
  if (conversion.letter == 'c') {
    size_t begin = out.size();
    out += static_cast<char>(number);
    return pad(out, begin, conversion);
  }
  if (!conversion.plain) return append_padded_integer(out, conversion, number);
  switch (conversion.letter) {
    case 'd': return append_signed(out, cut_signed(number, conversion.bits));
    case 'u': return append_unsigned(out, cut_unsigned(number, conversion.bits));
    case 'x': return append_hex(out, cut_unsigned(number, conversion.bits));
    default: return append_padded_integer(out, conversion, number);
  }
}

void append_pointer(std::string &out, const Conversion &conversion, uint64_t number) {
  size_t begin = out.size();
  if (number) {
    out += "0x";
    append_hex(out, number);
  } else {
    out += '0';
  }
  pad(out, begin, conversion);
}

void append_buffer_conversion(std::string &out, const Conversion &conversion, const Value &value) {
  constexpr char kHex[] = "0123456789abcdef";
  size_t begin = out.size();
  if (conversion.buffer_style == 0) {
    append_buffer(out, value);
  } else {
    bool spaced = conversion.buffer_style == 'h';
    bool first = true;
    for (std::byte byte : buffer_bytes(value)) {
      if (!spaced)
        out += "\\x";
      else if (!first)
        out += ' ';
      first = false;
      out += kHex[static_cast<uint8_t>(byte) >> 4];
      out += kHex[static_cast<uint8_t>(byte) & 15];
    }
  }
  if (conversion.precision >= 0 && out.size() - begin > static_cast<size_t>(conversion.precision))
    out.resize(begin + static_cast<size_t>(conversion.precision));
  pad(out, begin, conversion);
}

void append_text(std::string &out, const Conversion &conversion, const Value &value, const FormatContext &context) {
  size_t begin = out.size();
  if (value.type->kind == TypeKind::String && value.type->display == Display::None)
    append_string(out, value, context);
  else
    append_value(out, value, context);
  if (conversion.plain) return;
  if (conversion.precision >= 0 && out.size() - begin > static_cast<size_t>(conversion.precision))
    out.resize(begin + static_cast<size_t>(conversion.precision));
  pad(out, begin, conversion);
}

// By the C library, in its widest type: a double would change integers beyond 2^53.
void append_real(std::string &out, const Conversion &conversion, const Value &value) {
  std::string form = "%";
  if (conversion.left) form += '-';
  if (conversion.plus) form += '+';
  if (conversion.blank) form += ' ';
  if (conversion.alternate) form += '#';
  if (conversion.zero) form += '0';
  form += "*.*L";
  form += conversion.letter;
  const long double number = real_of(value);
  char text[512];
  int size = std::snprintf(text, sizeof(text), form.c_str(), conversion.width, conversion.precision, number);
  if (size < static_cast<int>(sizeof(text))) {
    out.append(text, static_cast<size_t>(std::max(size, 0)));
    return;
  }
  std::string longer(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(longer.data(), longer.size(), form.c_str(), conversion.width, conversion.precision, number);
  out.append(longer, 0, static_cast<size_t>(size));
}

// memcpy without its call for what lines mostly consist of.
inline void copy_short(char *to, const char *from, size_t size) {
  auto copy_ends = [&]<class Word>(Word) {
    Word first, last;
    std::memcpy(&first, from, sizeof(Word));
    std::memcpy(&last, from + size - sizeof(Word), sizeof(Word));
    std::memcpy(to, &first, sizeof(Word));
    std::memcpy(to + size - sizeof(Word), &last, sizeof(Word));
  };
  if (size > 16)
    std::memcpy(to, from, size);
  else if (size >= 8)
    copy_ends(uint64_t{});
  else if (size >= 4)
    copy_ends(uint32_t{});
  else
    for (size_t i = 0; i < size; i++) to[i] = from[i];
}

// Short pieces are put together here and reach the string at once: an append for each costs more than the text.
class Line {
 public:
  explicit Line(std::string &out) : out_(out) {}

  // Room for `size` more bytes, which may be more than will be used.
  char *room(size_t size) {
    if (size > sizeof(buffer_) - used_) flush();
    return buffer_ + used_;
  }
  void used(size_t size) { used_ += size; }
  void append(std::string_view text) {
    if (text.size() > sizeof(buffer_) / 2) {
      string() += text;
      return;
    }
    copy_short(room(text.size()), text.data(), text.size());
    used(text.size());
  }
  void append_decimal(uint64_t magnitude, bool negative) {
    constexpr size_t kDigits = 20;
    char digits[2 * kDigits];  // the copy has a fixed length and so reads beyond the last digit
    const char *end = digits + kDigits, *begin = decimal_digits(digits + kDigits, magnitude);
    char *at = room(1 + kDigits);
    *at = '-';
    std::memcpy(at + negative, begin, kDigits);
    used(static_cast<size_t>(end - begin) + negative);
  }
  // The string with everything so far, for those who append to it themselves.
  std::string &string() {
    flush();
    return out_;
  }
  void flush() {
    out_.append(buffer_, used_);
    used_ = 0;
  }

 private:
  std::string &out_;
  size_t used_ = 0;
  char buffer_[512];
};

// The usual conversions without flags, width and precision; false if it is none of them.
bool append_fast(Line &line, const Conversion &conversion, const Value &value) {
  if (!conversion.plain) return false;
  if (conversion.takes == ConversionClass::Integer && conversion.letter == 'd') {
    int64_t number = cut_signed(scalar_of(value), conversion.bits);
    line.append_decimal(number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number), number < 0);
    return true;
  }
  if (conversion.takes == ConversionClass::Integer && conversion.letter == 'u') {
    line.append_decimal(cut_unsigned(scalar_of(value), conversion.bits), false);
    return true;
  }
  if (conversion.takes != ConversionClass::String || value.type->kind != TypeKind::String || has_display(*value.type))
    return false;
  std::string_view text = string_of(value);
  if (text.size() + 1 >= value.type->size) return false;  // may have to be marked as cut
  line.append(text);
  return true;
}

void append_slow(std::string &out, const Conversion &conversion, const Value &value, const FormatContext &context) {
  switch (conversion.takes) {
    case ConversionClass::Integer: return append_integer(out, conversion, scalar_of(value));
    case ConversionClass::Pointer: return append_pointer(out, conversion, scalar_of(value));
    case ConversionClass::String: return append_text(out, conversion, value, context);
    case ConversionClass::Buffer:
      if (value.type->kind != TypeKind::Buffer) return append_text(out, conversion, value, context);
      return append_buffer_conversion(out, conversion, value);
    case ConversionClass::Real: return append_real(out, conversion, value);
    case ConversionClass::GfpFlags: {
      size_t begin = out.size();
      append_gfp_flags(out, scalar_of(value));
      return pad(out, begin, conversion);
    }
  }
}

}  // namespace

// A conversion whose `*` are filled in from the arguments, as in C: a negative width stands for `-`, a negative
// precision for none.
static Conversion with_stars(Conversion conversion, std::span<const Value> arguments, size_t &next) {
  constexpr int64_t kMost = 4096;
  auto take = [&] { return std::clamp(static_cast<int64_t>(scalar_of(arguments[next++])), -kMost, kMost); };
  if (conversion.star_width) {
    const int64_t width = take();
    conversion.width = static_cast<int>(width < 0 ? -width : width);
    conversion.left = conversion.left || width < 0;
  }
  if (conversion.star_precision) conversion.precision = static_cast<int>(std::max<int64_t>(take(), -1));
  return conversion;
}

void append_formatted(std::string &out, const Format &format, std::span<const Value> arguments,
                      const FormatContext &context) {
  static const Type kNull;  // void: shown as null
  Line line(out);
  size_t next = 0;
  const bool stars = format.takes_stars(arguments.size());
  for (const Format::Piece &piece : format.pieces) {
    line.append(piece.literal);
    if (!piece.has_conversion) continue;
    const bool starred = stars && (piece.conversion.star_width || piece.conversion.star_precision);
    const Conversion filled = starred ? with_stars(piece.conversion, arguments, next) : Conversion{};
    const Conversion &conversion = starred ? filled : piece.conversion;
    Value value = next < arguments.size() ? arguments[next] : Value{&kNull, {}};
    next++;
    if (!append_fast(line, conversion, value)) append_slow(line.string(), conversion, value, context);
  }
  line.flush();
}

}  // namespace awl
