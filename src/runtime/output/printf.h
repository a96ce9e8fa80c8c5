// printf-like formats: checked at compile time, prepared once at load, run per record.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/output/value.h"

namespace awl {

// What a conversion takes.
enum class ConversionClass : uint8_t { Integer, String, Buffer, Pointer, GfpFlags, Real };

struct Conversion {
  char letter = 'd';      // d u o x X c p s r f e g F E G (i is stored as d), with rx, rh and gr in `buffer_style`
  char buffer_style = 0;  // 'x' for %rx, 'h' for %rh, 'g' for %gr
  bool left = false, plus = false, blank = false, alternate = false, zero = false;
  bool plain = true;  // no flag, width or precision
  int width = 0;
  int precision = -1;
  bool star_width = false, star_precision = false;  // `*`: see Format::stars
  int bits = 32;                                    // of an integer: 8 (hh) 16 (h) 32 (none) 64 (l ll j z t L)
  ConversionClass takes = ConversionClass::Integer;
  uint32_t begin = 0, end = 0;  // in the format text
};

// A format split into literal text and conversions.
struct Format {
  struct Piece {
    std::string literal;  // text before the conversion
    bool has_conversion = false;
    Conversion conversion;
  };
  std::vector<Piece> pieces;
  size_t conversions = 0;
  size_t stars = 0;

  // A `*` takes a number from the arguments where there are enough of them. With one argument for each conversion it
  // has no effect, as in bpftrace.
  [[nodiscard]] bool takes_stars(size_t arguments) const { return stars > 0 && arguments == conversions + stars; }
};

// Errors carry the offending text: "unknown conversion `%y`".
Result<Format> parse_format(std::string_view text);
// True if a value of this type may be given to the conversion.
bool accepts(const Conversion &conversion, const Type *type);

// `arguments` in order, one per conversion; a missing one counts as null.
void append_formatted(std::string &out, const Format &format, std::span<const Value> arguments,
                      const FormatContext &context);

// Names of the bits of a gfp_t as the kernel's tracepoints print them: "GFP_KERNEL|__GFP_ZERO".
void append_gfp_flags(std::string &out, uint64_t flags);

// strftime in local time with %f (microseconds), %k (nanoseconds) and %l (milliseconds) of the second.
std::string format_time(std::string_view format, int64_t wall_ns);

}  // namespace awl
