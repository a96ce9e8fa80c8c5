#include "c_import/compile.h"

#include <elf.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/search_path.h"
#include "base/strings.h"
#include "c_import/memory_file.h"

extern char **environ;

namespace awl {

namespace {

namespace fs = std::filesystem;

// As Debian and others name versions of clang that stand beside each other; BPF CO-RE needs 10.
constexpr int kNewestClang = 29, kOldestClang = 10;

std::string find_clang() {
  if (const char *given = std::getenv("AWL_CLANG")) return given;
  std::string found = find_in_path("clang");
  for (int version = kNewestClang; found.empty() && version >= kOldestClang; version--)
    found = find_in_path("clang-" + std::to_string(version));
  return found;
}

// As <bpf/bpf_tracing.h> wants to know it.
std::string target_macro(std::string_view machine) {
  return std::string("-D__TARGET_ARCH_") + (machine == "x86_64" ? "x86" : machine == "aarch64" ? "arm64" : "unknown");
}

std::vector<std::string> command_line(const std::string &clang, const std::string &path,
                                      const std::vector<std::string> &include_dirs) {
  utsname machine{};
  uname(&machine);
  std::vector<std::string> out{clang,
                               "-target",
                               "bpf",
                               "-mcpu=v2",
                               "-g",
                               "-O2",
                               "-Wall",
                               "-fno-color-diagnostics",
                               "-fno-caret-diagnostics",
                               target_macro(machine.machine)};
  const std::string beside = fs::path(path).parent_path().string();
  out.push_back("-I" + (beside.empty() ? "." : beside));
  for (const std::string &folder : include_dirs) out.push_back("-I" + folder);
  // Where Debian keeps <asm/types.h>, which <linux/bpf.h> wants.
  std::string multiarch = fmt::format("/usr/include/{}-linux-gnu", machine.machine);
  if (fs::exists(multiarch)) out.insert(out.end(), {"-idirafter", multiarch});
  out.insert(out.end(), {"-c", path, "-o", "-"});
  return out;
}

// Hides the functions: then they are linked all the same, and verified together with who calls them, pointers and all.
// Maps must not be hidden, so that it cannot be said on the command line.
void hide_functions(std::string &object) {
  auto at = [&]<class T>(uint64_t offset, T *) {
    return offset + sizeof(T) <= object.size() ? reinterpret_cast<T *>(object.data() + offset) : nullptr;
  };
  const auto *header = at(0, static_cast<Elf64_Ehdr *>(nullptr));
  for (unsigned i = 0; header && i < header->e_shnum; i++) {
    const auto *section = at(header->e_shoff + i * sizeof(Elf64_Shdr), static_cast<Elf64_Shdr *>(nullptr));
    if (!section || section->sh_type != SHT_SYMTAB) continue;
    for (uint64_t offset = 0; offset < section->sh_size; offset += sizeof(Elf64_Sym)) {
      auto *symbol = at(section->sh_offset + offset, static_cast<Elf64_Sym *>(nullptr));
      if (symbol && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
          ELF64_ST_BIND(symbol->st_info) != STB_LOCAL)
        symbol->st_other = STV_HIDDEN;
    }
  }
}

// Exit status, or an error if there was no run.
Result<int> run(const std::vector<std::string> &words, int output, int messages) {
  std::vector<char *> args;
  for (const std::string &word : words) args.push_back(const_cast<char *>(word.c_str()));
  args.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) return fail_errno("fork");
  if (child == 0) {
    dup2(output, STDOUT_FILENO);
    dup2(messages, STDERR_FILENO);
    execve(args[0], args.data(), environ);
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("waitpid");
  if (WIFEXITED(status) && WEXITSTATUS(status) != 127) return WEXITSTATUS(status);
  return fail(WIFEXITED(status) ? "it cannot be run" : fmt::format("it was ended by signal {}", WTERMSIG(status)));
}

// "FILE:LINE:COLUMN: error: TEXT"
struct Message {
  std::string file, text;
  uint32_t line = 0;
  bool is_error = false;
};

std::optional<Message> read_message(const std::string &line) {
  for (std::string_view kind : {": error: ", ": fatal error: ", ": warning: "}) {
    size_t at = line.find(kind);
    if (at == std::string::npos) continue;
    Message out{{}, line.substr(at + kind.size()), 0, kind != ": warning: "};
    std::vector<std::string> place = split(line.substr(0, at), ':');
    if (place.size() >= 3) {
      auto number = parse_unsigned(place[place.size() - 2]);
      out.line = number ? static_cast<uint32_t>(*number) : 0;
      place.resize(place.size() - 2);
    }
    for (const std::string &part : place) out.file += (out.file.empty() ? "" : ":") + part;
    return out;
  }
  return std::nullopt;
}

// The line in the C file, which becomes part of the source; empty if it cannot be read.
Span line_span(const Message &message, Source &source) {
  Result<std::string> text = read_file(message.file);
  if (!text || message.line == 0) return {};
  const auto &files = source.files();
  auto known = std::ranges::find(files, message.file, &SourceFile::name);
  size_t index =
      known == files.end() ? source.add_file(message.file, *text) : static_cast<size_t>(known - files.begin());
  const SourceFile &file = source.files()[index];
  std::string_view content = source.text_of(file);
  size_t begin = 0;
  for (uint32_t line = 1; line < message.line && begin < content.size(); line++)
    begin = std::min(content.find('\n', begin), content.size() - 1) + 1;
  size_t end = std::min(content.find('\n', begin), content.size());
  begin = std::min(content.find_first_not_of(" \t", begin), end);
  return {file.begin + static_cast<uint32_t>(begin), file.begin + static_cast<uint32_t>(end), 0};
}

void tell(const ast::CSource &file, const std::string &messages, bool compiled, Source &source,
          Diagnostics &diagnostics) {
  constexpr size_t kMost = 10;
  std::vector<Message> all;
  for (const std::string &line : split(messages, '\n'))
    if (std::optional<Message> message = read_message(line); message && all.size() < kMost) all.push_back(*message);
  bool told = false;
  for (const Message &message : all) {
    Span place = line_span(message, source);
    std::string text = place.empty() && !message.file.empty()
                           ? fmt::format("{}:{}: {}", message.file, message.line, message.text)
                           : message.text;
    Diagnostic &d = message.is_error
                        ? diagnostics.emit(diag::CNotCompiled, place.empty() ? file.span : place, file.path, text)
                        : diagnostics.emit(diag::CWarning, place.empty() ? file.span : place, text);
    if (!place.empty()) d.at(file.span, "imported here");
    told = told || message.is_error;
  }
  if (!compiled && !told)
    diagnostics.emit(diag::CNotCompiled, file.span, file.path,
                     messages.empty() ? "it says nothing" : std::string(trim(messages)));
}

}  // namespace

const CCompiler::Outcome &CCompiler::outcome(const std::string &clang, const std::string &path) {
  if (const auto known = outcomes_.find(path); known != outcomes_.end()) return known->second;
  MemoryFile object, messages;
  Outcome out{run(command_line(clang, path, include_dirs_), object.fd(), messages.fd()), object.content(),
              messages.content()};
  hide_functions(out.object);
  return outcomes_.emplace(path, std::move(out)).first->second;
}

std::optional<CObject> CCompiler::compile(const ast::CSource &file, Source &source, Diagnostics &diagnostics) {
  const std::string clang = find_clang();
  if (clang.empty()) {
    diagnostics.emit(diag::NoClang, file.span, file.path)
        .with_hint("install clang, or say where it is: AWL_CLANG=/path/to/clang");
    return std::nullopt;
  }
  const Outcome &made = outcome(clang, file.path);
  if (!made.status) {
    diagnostics.emit(diag::CNotCompiled, file.span, file.path, clang + ": " + made.status.error().message)
        .with_hint("AWL_CLANG=/path/to/clang says which clang to use");
    return std::nullopt;
  }
  tell(file, made.messages, *made.status == 0, source, diagnostics);
  if (*made.status != 0) return std::nullopt;
  return CObject{file, made.object};
}

}  // namespace awl
