// Walking the typed IR: the values that a value is made of, and searching below a value or step.
#pragma once

#include <functional>
#include <vector>

#include "ast/typed/typed.h"

namespace awl::typed {

// In the order of evaluation; optional ones that are missing are left out. The steps of a Sequence are not values.
std::vector<const Value *> children(const Value &value);

// True if `found` holds for the value or for any value or step below it.
using ValueTest = std::function<bool(const Value &)>;
using StepTest = std::function<bool(const Step &)>;
bool any_of(const Value &value, const ValueTest &found, const StepTest &found_step = nullptr);
bool any_of(const Step &step, const ValueTest &found, const StepTest &found_step = nullptr);

}  // namespace awl::typed
