#include "runtime/session/verifier_log.h"

#include <array>
#include <cctype>
#include <charconv>

#include "base/strings.h"

namespace awl {
namespace {

std::optional<uint32_t> leading_number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// "12: (79) r1 = ..." is an instruction, "12: R1=ctx() ..." the registers in front of it.
std::optional<uint32_t> numbered_line(std::string_view line) {
  const std::optional<uint32_t> number = leading_number(line);
  if (!number) return std::nullopt;
  const size_t colon = line.find_first_not_of("0123456789");
  if (colon == line.npos || line[colon] != ':') return std::nullopt;
  return number;
}

bool is_instruction(std::string_view line) {
  const size_t colon = line.find(": (");
  return colon != line.npos && line.size() > colon + 5 && line[colon + 5] == ')';
}

bool starts_with_any(std::string_view line, std::initializer_list<std::string_view> prefixes) {
  for (std::string_view prefix : prefixes)
    if (line.starts_with(prefix)) return true;
  return false;
}

// Lines that describe the state of the verification or sum it up.
bool is_noise(std::string_view line) {
  if (starts_with_any(line, {"processed ",  "verification time ",   "stack depth ",  "from ",
                             "cur state:",  "old state:",           "frame",         "func#",
                             "Live regs",   "mark_precise:",        "regs=",         "last_idx ",
                             "parent ",     "max_states",           "propagating ",  "caller:",
                             "callee:",     "returning from ",      "to caller at ", "Func#",
                             "Validating ", "BPF_STX uses reserved"}))
    return true;
  // "R0=...", "R1_w=..." dumps; a message about a register has a blank there: "R1 invalid mem access".
  if (line.size() > 2 && line[0] == 'R' && std::isdigit(static_cast<unsigned char>(line[1]))) {
    const size_t end = line.find_first_not_of("0123456789", 1);
    return end != line.npos && (line[end] == '=' || line[end] == '_');
  }
  // Complaints about BTF of arguments come first in many good logs.
  return line.starts_with("arg#") && line.find("size cannot be determined") != line.npos;
}

// "; text @ file:line": since 6.10 with the place, before without.
void read_comment(std::string_view line, VerifierReport &report) {
  std::string_view text = trim(line.substr(1));
  report.source_file.clear();
  report.source_line.reset();
  if (const size_t at = text.rfind(" @ "); at != text.npos) {
    const std::string_view place = text.substr(at + 3);
    if (const size_t colon = place.rfind(':'); colon != place.npos) {
      if (const std::optional<uint32_t> number = leading_number(place.substr(colon + 1))) {
        report.source_file = place.substr(0, colon);
        report.source_line = number;
        text = trim(text.substr(0, at));
      }
    }
  } else if (text.starts_with("@ ")) {  // an empty text
    if (const size_t colon = text.rfind(':'); colon != text.npos) {
      report.source_file = text.substr(2, colon - 2);
      report.source_line = leading_number(text.substr(colon + 1));
      text = {};
    }
  }
  report.source_text = text;
}

// The instruction that a message names itself.
std::optional<uint32_t> insn_in_message(std::string_view message) {
  for (std::string_view word : {"at insn ", "from insn ", "unreachable insn ", "jump out of range from insn "}) {
    if (const size_t at = message.find(word); at != message.npos)
      if (const auto number = leading_number(message.substr(at + word.size()))) return number;
  }
  return std::nullopt;
}

constexpr std::array kHints = {
    VerifierHint{"program is too large", "the verifier gave up after a million instructions",
                 "make loops shorter, or split the probe's body"},
    VerifierHint{"too many instructions", "the verifier gave up", "make loops shorter, or split the probe's body"},
    VerifierHint{"program too large", "the program has more instructions than the kernel takes",
                 "make the probe's body or its unroll counts smaller"},
    VerifierHint{"The sequence of", "too many jumps in a row for the verifier",
                 "make loops shorter, or split the probe's body"},
    VerifierHint{"infinite loop detected", "the kernel cannot see that this loop ends",
                 "count with a variable that the loop's condition compares to a constant"},
    VerifierHint{"back-edge", "this kernel takes no loops (they are allowed since Linux 5.3)", "use unroll"},
    VerifierHint{"stack size", "the program needs more than the 512 bytes of stack that the kernel gives",
                 "use fewer or smaller strings in one probe"},
    VerifierHint{"invalid stack", "the program uses more than the 512 bytes of stack that the kernel gives",
                 "use fewer or smaller strings in one probe"},
    VerifierHint{"stack depth", "the program needs more than the 512 bytes of stack that the kernel gives",
                 "use fewer or smaller strings in one probe"},
    VerifierHint{"invalid mem access", "an address is read that the kernel does not know to be safe", ""},
    VerifierHint{"invalid access to map value", "a map's value is accessed outside its bounds", ""},
    VerifierHint{"min value is negative", "an index or a length may be negative", "compare it to 0 first"},
    VerifierHint{"unbounded memory access", "an index or a length has no upper bound",
                 "compare it to a constant first"},
    VerifierHint{"invalid bpf_context access",
                 "the kernel does not let this kind of probe read that part of its context", ""},
    VerifierHint{"cannot call GPL-restricted", "the kernel lends this function to GPL programs only", ""},
    VerifierHint{"GPL compatible program", "the kernel lends this function to GPL programs only", ""},
    VerifierHint{"unknown func", "this kernel has no such function, or does not lend it to this kind of probe",
                 "`awl info` lists what this kernel can do"},
    // Linux before 5.13 does not count functions that only helpers call.
    VerifierHint{"number of funcs in func_info",
                 "this kernel's helpers cannot call functions of a program (bpf_loop, Linux 5.17)",
                 "`ustack(unwind)`, long ranges of `for` and `while` need that; ustack(fp) and unroll do not"},
    VerifierHint{"program of this type cannot use helper",
                 "the kernel does not lend this function to this kind of probe", ""},
    VerifierHint{"helper call is not allowed", "the kernel does not lend this function to this kind of probe", ""},
    VerifierHint{"calling kernel function", "the kernel does not lend this function to this kind of probe", ""},
    VerifierHint{"failed to resolve CO-RE relocation", "the running kernel's types have no such member",
                 "compile the script on this kernel"},
    VerifierHint{"misaligned", "memory is accessed at an address that is not a multiple of its size", ""},
};

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return lower(text).find(lower(part)) != std::string::npos;
}

}  // namespace

VerifierReport parse_verifier_log(std::string_view log) {
  VerifierReport report;
  VerifierReport here;  // what was seen up to this line
  size_t begin = 0;
  while (begin < log.size()) {
    size_t end = log.find('\n', begin);
    if (end == log.npos) end = log.size();
    const std::string_view line = trim(log.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    if (line[0] == ';') {
      read_comment(line, here);
      // One source line stands in front of several instructions: none of them has been seen yet.
      continue;
    }
    if (const std::optional<uint32_t> number = numbered_line(line)) {
      if (is_instruction(line)) here.insn = number;
      continue;
    }
    if (is_noise(line)) continue;
    const std::string message(line);
    report = here;
    report.message = message;
  }
  if (const auto named = insn_in_message(report.message); named && named != report.insn) {
    // The message is about another instruction than the last one seen: the quoted line does not belong to it.
    report.insn = named;
    report.source_text.clear();
    report.source_file.clear();
    report.source_line.reset();
  }
  return report;
}

const VerifierHint *verifier_hint(std::string_view message) {
  for (const VerifierHint &hint : kHints)
    if (contains_ignoring_case(message, hint.pattern)) return &hint;
  return nullptr;
}

}  // namespace awl
