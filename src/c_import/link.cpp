#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/btf.h>

#include "c_import/compile.h"
#include "c_import/memory_file.h"
#include "runtime/session/libbpf_print.h"
#include "runtime/types/btf.h"

namespace awl {

std::string_view unwinder_bytes();  // generated

namespace {

struct FreeBtf {
  void operator()(btf *types) const { btf__free(types); }
};
struct FreeLinker {
  void operator()(bpf_linker *linker) const { bpf_linker__free(linker); }
};

// Why a function cannot be called with such a value; "" if it can.
std::string problem_of(const Type *type, const std::string &what) {
  if (type->is_scalar() && type->size <= 8) return {};
  return what + " is no integer and no pointer";
}

}  // namespace

Result<std::vector<ast::CFunction>> functions_of(const CObject &object, TypeStore &store) {
  MemoryFile file(object.bytes);
  LibbpfPrint quiet;
  std::unique_ptr<btf, FreeBtf> types(btf__parse_elf(file.path().c_str(), nullptr));
  if (!types) return fail("it has no type information");
  uint32_t size = 0;
  const void *raw = btf__raw_data(types.get(), &size);
  if (!raw) return fail("its type information cannot be read");
  TypeSource &source =
      store.keep(TRY(make_btf_source(TRY(BtfBlob::from_bytes(std::string(static_cast<const char *>(raw), size))))));
  std::vector<ast::CFunction> out;
  for (uint32_t id = 1; id < btf__type_cnt(types.get()); id++) {
    const btf_type *type = btf__type_by_id(types.get(), id);
    if (BTF_INFO_KIND(type->info) != BTF_KIND_FUNC || BTF_INFO_VLEN(type->info) != BTF_FUNC_GLOBAL) continue;
    std::string name = btf__name_by_offset(types.get(), type->name_off);
    auto prototype = TRY(btf_function(store, source, name));
    if (!prototype) continue;
    ast::CFunction function;
    function.declaration.name = name;
    function.declaration.span = function.declaration.name_span = object.source.span;
    function.result = prototype->result;
    if (function.result->kind != TypeKind::Void) function.problem = problem_of(function.result, "its result");
    for (auto &[param, param_type] : prototype->params) {
      function.params.push_back(param_type);
      function.names.push_back(param);
      if (function.problem.empty()) function.problem = problem_of(param_type, "its parameter `" + param + "`");
    }
    if (function.params.size() > 5) function.problem = "it has more than 5 parameters";
    out.push_back(std::move(function));
  }
  return out;
}

CObject unwinder_object() {
  CObject out;
  out.source.path = "the walk of stacks";
  out.bytes = unwinder_bytes();
  return out;
}

Result<std::string> link_objects(const std::string &script, const std::vector<CObject> &others) {
  LibbpfPrint print;
  MemoryFile out, own(script);
  auto failed = [&](const std::string &what) {
    return fail(print.reason().empty() ? what : what + ": " + print.reason());
  };
  std::unique_ptr<bpf_linker, FreeLinker> linker(bpf_linker__new(out.path().c_str(), nullptr));
  if (!linker) return failed("cannot link");
  if (bpf_linker__add_file(linker.get(), own.path().c_str(), nullptr) != 0) return failed("the script");
  for (const CObject &object : others) {
    MemoryFile file(object.bytes);
    if (bpf_linker__add_file(linker.get(), file.path().c_str(), nullptr) != 0) return failed(object.source.path);
  }
  if (bpf_linker__finalize(linker.get()) != 0) return failed("cannot link");
  return out.content();
}

}  // namespace awl
