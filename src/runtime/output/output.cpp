#include "runtime/output/output.h"

#include "runtime/output/json_output.h"
#include "runtime/output/text_output.h"

namespace awl {

std::unique_ptr<Output> make_output(int fd, const OutputOptions &options, const FormatContext &context) {
  if (options.json) return std::make_unique<JsonOutput>(fd, options, context);
  return std::make_unique<TextOutput>(fd, options, context);
}

}  // namespace awl
