#include "parser/headers.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/strings.h"
#include "parser/builder.h"
#include "parser/grammar.h"
#include "parser/scan.h"
#include "parser/token_feed.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

constexpr size_t kMaxFiles = 64;  // one in another
constexpr size_t kMaxItemTokens = 1 << 20;

// Headers of the compiler itself, which stand in no folder that we could know.
struct BuiltinHeader {
  std::string_view name, text;
};
constexpr std::array kBuiltin = {
    BuiltinHeader{"stddef.h",
                  "typedef unsigned long size_t;\ntypedef long ptrdiff_t;\ntypedef int wchar_t;\n#define NULL 0\n"},
    BuiltinHeader{"stdbool.h", "#define bool _Bool\n"},
    BuiltinHeader{
        "stdarg.h",
        "typedef struct { unsigned int gp_offset, fp_offset; void *overflow, *saved; } __builtin_va_list[1];\n"
        "typedef __builtin_va_list __gnuc_va_list, va_list;\n"},
    BuiltinHeader{"stdint.h",
                  "typedef signed char int_least8_t, int_fast8_t;\ntypedef short int_least16_t;\n"
                  "typedef int int_least32_t;\ntypedef long int_least64_t, int_fast16_t, int_fast32_t, int_fast64_t;\n"
                  "typedef unsigned char uint_least8_t, uint_fast8_t;\ntypedef unsigned short uint_least16_t;\n"
                  "typedef unsigned int uint_least32_t;\ntypedef unsigned long uint_least64_t, uint_fast16_t;\n"
                  "typedef unsigned long uint_fast32_t, uint_fast64_t;\ntypedef long intmax_t;\n"
                  "typedef unsigned long uintmax_t;\n"
                  "#define INT8_MAX 127\n#define INT16_MAX 32767\n#define INT32_MAX 2147483647\n"
                  "#define INT64_MAX 9223372036854775807\n#define UINT8_MAX 255\n#define UINT16_MAX 65535\n"
                  "#define UINT32_MAX 4294967295\n#define UINT64_MAX 18446744073709551615\n"
                  "#define INT8_MIN (-128)\n#define INT16_MIN (-32768)\n#define INT32_MIN (-2147483648)\n"
                  "#define INT64_MIN (-9223372036854775807 - 1)\n#define SIZE_MAX 18446744073709551615\n"},
    BuiltinHeader{"limits.h",
                  "#define CHAR_BIT 8\n#define SCHAR_MAX 127\n#define UCHAR_MAX 255\n#define SHRT_MAX 32767\n"
                  "#define USHRT_MAX 65535\n#define INT_MAX 2147483647\n#define INT_MIN (-2147483648)\n"
                  "#define UINT_MAX 4294967295\n#define LONG_MAX 9223372036854775807\n"
                  "#define LONG_MIN (-9223372036854775807 - 1)\n#define ULONG_MAX 18446744073709551615\n"
                  "#define LLONG_MAX LONG_MAX\n#define LLONG_MIN LONG_MIN\n#define ULLONG_MAX ULONG_MAX\n"
                  "#define PATH_MAX 4096\n#define NAME_MAX 255\n"},
    BuiltinHeader{"float.h", ""},
};

const BuiltinHeader *builtin_header(std::string_view path) {
  const auto *it = std::ranges::find(kBuiltin, path, &BuiltinHeader::name);
  return it == kBuiltin.end() ? nullptr : it;
}

std::string folder_of(const std::string &path) {
  std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

bool readable(const std::string &path) {
  std::error_code error;
  return access(path.c_str(), R_OK) == 0 && std::filesystem::is_regular_file(path, error);
}

// Folders of the kernel's sources: what is written so comes from BTF if there is no such file.
bool of_kernel(std::string_view path) {
  static constexpr std::array kFolders = {"linux/", "asm/",   "asm-generic/", "uapi/",   "net/", "trace/", "scsi/",
                                          "sound/", "rdma/",  "drm/",         "crypto/", "xen/", "kvm/",   "acpi/",
                                          "media/", "video/", "misc/",        "mtd/",    "bpf/", "sys/",   "netinet/"};
  return path == "vmlinux.h" ||
         std::ranges::any_of(kFolders, [&](const char *folder) { return path.starts_with(folder); });
}

bool of_system(const std::string &path) {
  return std::ranges::any_of(system_header_folders(),
                             [&](const std::string &folder) { return readable(folder + "/" + path); });
}

void set_place(ast::CType &type, Span place, const std::string &header) {
  type.span = place;
  type.header = header;
  for (ast::CEnumerator &entry : type.enumerators) entry.span = place;
  for (ast::CField &field : type.fields) {
    field.span = field.type.span = place;
    if (field.inner) set_place(*field.inner, place, header);
  }
}

bool is_tag(int kind) { return kind == G::T_STRUCT || kind == G::T_UNION || kind == G::T_ENUM; }

// Index behind the bracket that closes the one at `open`, size if none does.
size_t behind_bracket(const std::vector<Token> &tokens, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < tokens.size(); i++) {
    int kind = tokens[i].kind;
    if (kind == G::T_LPAREN || kind == G::T_LBRACE) depth++;
    if ((kind == G::T_RPAREN || kind == G::T_RBRACE) && --depth == 0) return i + 1;
  }
  return tokens.size();
}

}  // namespace

const std::vector<std::string> &system_header_folders() {
  static const std::vector<std::string> folders = {"/usr/include", "/usr/include/x86_64-linux-gnu",
                                                   "/usr/include/aarch64-linux-gnu"};
  return folders;
}

std::string Headers::find(const ast::Include &include, const std::string &directory) const {
  if (include.path.starts_with('/')) return readable(include.path) ? include.path : "";
  if (include.quoted)
    if (std::string path = directory == "." ? include.path : directory + "/" + include.path; readable(path))
      return path;
  if (builtin_header(include.path)) return "";
  for (const std::string &folder : search_.folders)
    if (std::string path = folder + "/" + include.path; readable(path)) return path;
  return "";
}

void Headers::read_included() {
  for (const std::string &name : search_.included) {
    std::string path = find({{}, name, true, ""}, ".");
    if (path.empty())
      diagnostics_.emit(diag::MissingHeader, Span{}, name)
          .with_hint("--include takes a file, or a name in a folder of -I");
    else
      read_file(path, {});
  }
}

void Headers::read(size_t index) {
  ast::Include include = preprocessor_.includes[index];
  std::string path = find(include, search_.directory.empty() ? "." : search_.directory);
  if (path.empty() && include.quoted && !of_kernel(include.path) && !builtin_header(include.path)) {
    diagnostics_.emit(diag::MissingHeader, include.span, include.path)
        .with_hint("it is looked for beside the script and in the folders of -I");
    return;
  }
  if (path.empty() && !builtin_header(include.path)) {
    if (!of_kernel(include.path) && !of_system(include.path))
      diagnostics_.emit(diag::HeaderNotFound, include.span, include.path)
          .with_hint("types come from the kernel's BTF; -I DIR adds a folder with headers");
    return;
  }
  preprocessor_.includes[index].file = path.empty() ? include.path : path;
  read_file(path.empty() ? include.path : path, include.span);
}

void Headers::read_file(const std::string &path, Span place) {
  place_ = place;
  Diagnostics *before = preprocessor_.report_to(&problems_, true);
  if (open(path)) {
    while (true) {
      Token token = raw();
      if (token.kind == G::T_END_OF_FILE) break;
      for (Token &one : preprocessor_.expand_in_text(std::move(token), [&] { return raw(); }, waiting_))
        accept(std::move(one));
    }
    end_item();
  }
  preprocessor_.report_to(before, false);
}

bool Headers::open(const std::string &path) {
  if (std::ranges::find(once_, path) != once_.end()) return false;
  const BuiltinHeader *builtin = builtin_header(path);
  Result<std::string> text = builtin ? Result<std::string>(std::string(builtin->text)) : awl::read_file(path);
  if (!text || files_.size() >= kMaxFiles) {
    diagnostics_.emit(diag::MissingHeader, place_, path)
        .note(text ? "headers include each other without end" : text.error().message);
    return false;
  }
  files_.push_back(std::make_unique<File>(path, std::move(*text), problems_));
  files_.back()->branches = preprocessor_.open_branches();
  return true;
}

void Headers::nested_include(const ast::Include &include) {
  // Another one of the same name (#include_next) is the compiler's own.
  std::string path = find(include, folder_of(files_.back()->source.name()));
  if (path == files_.back()->source.name()) return;
  if (!path.empty() || builtin_header(include.path)) {
    open(path.empty() ? include.path : path);
    return;
  }
  if (include.quoted && !of_kernel(include.path))
    diagnostics_.emit(diag::MissingHeader, place_, include.path).note("included by " + here());
}

// The next token of the file on top, or of the one below when it has ended.
Token Headers::raw() {
  if (!waiting_.empty()) {
    Token token = std::move(waiting_.front());
    waiting_.pop_front();
    return token;
  }
  while (!files_.empty()) {
    File &file = *files_.back();
    Token token = file.lexer.next(preprocessor_.active() ? Lexer::Mode::Code : Lexer::Mode::Skip);
    if (token.kind == G::T_END_OF_FILE) {
      preprocessor_.finish(file.branches);
      files_.pop_back();
      continue;
    }
    if (token.kind != G::T_DIRECTIVE) return token;
    std::string_view text = trim(token.text);
    if (preprocessor_.active() && text.starts_with("#") && trim(text.substr(1)).starts_with("error"))
      diagnostics_.emit(diag::HeaderRefuses, place_, here(), std::string(trim(trim(text.substr(1)).substr(5))));
    if (preprocessor_.active() && text.find("pragma") != std::string_view::npos && text.ends_with("once"))
      once_.push_back(file.source.name());
    // The list is for includes of which nothing is read: those stay in it.
    size_t includes = preprocessor_.includes.size();
    preprocessor_.directive(token);
    if (preprocessor_.includes.size() > includes) {
      ast::Include include = preprocessor_.includes.back();
      preprocessor_.includes.back().span = place_;
      size_t depth = files_.size();
      nested_include(include);
      if (files_.size() > depth) preprocessor_.includes.pop_back();
    }
  }
  return {G::T_END_OF_FILE, {}, ""};
}

// "net.h:12"
std::string Headers::here() const {
  if (files_.empty()) return "";
  const File &file = *files_.back();
  auto done = static_cast<uint32_t>(file.source.text().size() - file.lexer.rest().size());
  uint32_t line = file.source.line_column(done ? done - 1 : 0).line;
  return file.source.name() + ":" + std::to_string(line);
}

// Collects an item up to its end: a `;` outside all brackets, or the end of a function's body.
void Headers::accept(Token token) {
  if (item_.empty()) {
    if (token.kind == G::T_SEMICOLON || token.kind == G::T_RBRACE) return;
    item_place_ = here();
    has_function_ = false;
    problems_ = {};
  }
  if (is_qualifier(token, ItemKind::CType)) return;
  int kind = token.kind;
  int before = item_.empty() ? -1 : item_.back().kind;
  bool in_function = !braces_.empty() && braces_.front();
  if (!in_function && item_.size() < kMaxItemTokens) {
    item_.push_back(std::move(token));
    pack(item_, preprocessor_.packing());
  }
  if (kind == G::T_LPAREN) parentheses_++;
  if (kind == G::T_RPAREN && parentheses_ > 0) parentheses_--;
  if (kind == G::T_LBRACE) {
    braces_.push_back(before == G::T_RPAREN && opens_function());
    has_function_ = has_function_ || braces_.back();
  }
  if (kind == G::T_RBRACE && !braces_.empty()) {
    bool function = braces_.back();
    braces_.pop_back();
    if (braces_.empty() && function) return end_item();
  }
  if (kind == G::T_SEMICOLON && braces_.empty() && parentheses_ == 0) end_item();
}

// Whether the `{` behind a `)` begins the body of a function, and not a type that has attributes and no name.
bool Headers::opens_function() const {
  if (!braces_.empty() || item_.front().kind == G::T_TYPEDEF) return false;
  if (!is_tag(item_.front().kind)) return true;
  size_t attribute = item_.size() > 1 && item_[1].kind == G::T_C_ATTRIBUTE ? 2 : 1;
  return item_.size() <= attribute || !item_[attribute].text.starts_with("__attribute");
}

void Headers::end_item() {
  if (!item_.empty() && !has_function_) read_item();
  item_.clear();
  braces_.clear();
  parentheses_ = 0;
}

// The item as far as it defines types: `struct x {...} variable;` without the variable, no prototypes.
void Headers::read_item() {
  if (is_tag(item_.front().kind)) {
    auto open = std::ranges::find(item_, G::T_LBRACE, &Token::kind);
    if (open == item_.end()) return;  // a forward declaration or a prototype
    // Attributes behind it belong to the type, other names are variables.
    size_t end = behind_bracket(item_, static_cast<size_t>(open - item_.begin()));
    while (end < item_.size() && item_[end].kind == G::T_IDENT && item_[end].text.starts_with("__")) {
      end++;
      if (end < item_.size() && item_[end].kind == G::T_LPAREN) end = behind_bracket(item_, end);
    }
    item_.resize(end);
  } else if (item_.front().kind != G::T_TYPEDEF) {
    return;
  }
  std::vector<Token> tokens = item_;
  classify(tokens, ItemKind::CType, problems_);
  Span last = tokens.back().span;
  tokens.push_back({G::T_END, last, ""});
  tokens.push_back({G::T_END_OF_FILE, last, ""});
  ast::Program program;
  Source nowhere("", "");
  TokenFeed feed(tokens, G::T_START_PROGRAM, nowhere, problems_, problems_.error_count() + 1);
  feed.allow_repair(false);
  Builder builder(program, false, problems_, out_.constants);
  builder.know_types(out_.types);
  Grammar(feed, builder).parse();
  if (problems_.has_errors()) return note_unread(problems_.all().front().message);
  keep_types(program);
}

void Headers::keep_types(ast::Program &program) {
  for (ast::CType &type : program.types) {
    set_place(type, place_, item_place_);
    out_.types.push_back(std::move(type));
  }
}

// The names that the item would have defined.
void Headers::note_unread(const std::string &why) {
  auto note = [&](std::string name) { out_.unread.push_back({std::move(name), item_place_, why}); };
  for (size_t i = 0; i + 2 < item_.size(); i++) {
    const char *keyword = item_[i].kind == G::T_STRUCT  ? "struct "
                          : item_[i].kind == G::T_UNION ? "union "
                          : item_[i].kind == G::T_ENUM  ? "enum "
                                                        : nullptr;
    if (keyword && item_[i + 1].kind == G::T_IDENT && item_[i + 2].kind == G::T_LBRACE)
      note(keyword + item_[i + 1].text);
  }
  if (item_.front().kind != G::T_TYPEDEF) return;
  auto name = std::ranges::find(item_.rbegin(), item_.rend(), G::T_IDENT, &Token::kind);
  if (name != item_.rend()) note(name->text);
}

}  // namespace awl::syntax
