// Running a command for system().
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace awl {

// Runs `/bin/sh -c command` and waits for it; `take` gets its standard output piece by piece. A signal that ends awl
// ends the command as well. What it leaves in the background is not waited for.
Result<void> run_shell(const std::string &command, const std::function<void(std::string_view)> &take);

}  // namespace awl
