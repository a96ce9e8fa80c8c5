#include "ast/passes/c_functions.h"

#include <fmt/format.h>

namespace awl::ast {

namespace {

// The pattern that arguments are checked against (stdlib/builtins.bt).
std::string pattern_of(const Type *type) {
  if (!type->is_pointer()) return "integer";
  bool text = type->target && type->target->is_integral() && type->target->size == 1;
  return text ? "pointer|integer|string" : "pointer|integer";
}

}  // namespace

void declare_c_functions(CFunctions &all, FunctionTable &functions, Diagnostics &diagnostics) {
  for (CFunction &function : all) {
    Function &declaration = function.declaration;
    declaration.of_c = true;
    declaration.result.name = function.result->kind == TypeKind::Void ? "void" : to_string(function.result);
    for (size_t i = 0; i < function.params.size(); i++) {
      FunctionParam param;
      param.span = declaration.span;
      param.name = function.names[i].empty() ? fmt::format("p{}", i + 1) : function.names[i];
      param.type.name = pattern_of(function.params[i]);
      declaration.params.push_back(std::move(param));
    }
    if (functions.add(declaration)) continue;
    const Function *known = functions.find(declaration.name);
    if (known->of_c)
      diagnostics.emit(diag::Redeclared, declaration.name_span, "the C function " + declaration.name)
          .at(known->name_span, "first here");
    else
      diagnostics.emit(diag::FunctionTaken, declaration.name_span, declaration.name)
          .with_hint("in the C file, make it static or give it another name");
  }
}

const CFunction *find_c_function(const CFunctions &all, const Function *declaration) {
  for (const CFunction &function : all)
    if (&function.declaration == declaration) return &function;
  return nullptr;
}

}  // namespace awl::ast
