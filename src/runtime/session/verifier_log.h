// Reading the verifier's log: what it complains about, and where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace awl {

struct VerifierReport {
  std::string message;           // its last word: "R1 invalid mem access 'scalar'"
  std::optional<uint32_t> insn;  // instruction it speaks of
  std::string source_text;       // last source line quoted before it, "" if none
  std::string source_file;       // of that line (kernels since 6.10)
  std::optional<uint32_t> source_line;
};

// A log without a complaint gives an empty message.
VerifierReport parse_verifier_log(std::string_view log);

// What a message means for a script and what to do; empty for messages that are not known.
struct VerifierHint {
  std::string_view pattern;      // part of the message
  std::string_view explanation;  // in the script's terms
  std::string_view hint;
};
const VerifierHint *verifier_hint(std::string_view message);

}  // namespace awl
