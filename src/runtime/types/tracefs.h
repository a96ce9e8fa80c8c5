// Types of tracepoint records, from tracefs format files.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/types/type_store.h"

namespace awl {

// Mount point of tracefs ("/sys/kernel/tracing" or the debugfs one). Mounts it if root may; an error
// with a hint if it cannot be had.
Result<std::string> tracefs_path();

// Parses the text of a format file into a struct of Origin::Tracefs named "CATEGORY:EVENT", common_*
// fields included. Enums and the targets of pointers are resolved through `store`, integers have the size and
// sign that the format gives. Except in category "syscalls": there each argument fills 8 bytes, whose upper part
// means nothing for a narrower C type, so that the field is as narrow as its C type. Pointers lead into user
// memory there, elsewhere into the kernel.
Result<const Type *> parse_tracefs_format(TypeStore &store, std::string_view event, std::string_view text);

// Source for names "tracepoint CATEGORY:EVENT". With an empty root, tracefs_path() is asked when first needed.
std::unique_ptr<TypeSource> make_tracefs_source(std::string root = {});

}  // namespace awl
