// Walking the typed IR: the values that a value is made of, and searching below a value or step.
#pragma once

#include <functional>
#include <vector>

#include "ast/typed/typed.h"

namespace awl::typed {

// In the order of evaluation; optional ones that are missing are left out. The steps of a Sequence are not values.
std::vector<const Value *> children(const Value &value);

// The values that a step evaluates itself, and the lists of steps in it, in the order of execution.
std::vector<const Value *> values(const Step &step);
std::vector<const Steps *> inner_steps(const Step &step);

// True for steps whose inner steps run as a function of their own.
inline bool is_callback_loop(const Step &step) { return step.kind == Kind::ForMap || step.kind == Kind::ForRange; }

// True if `found` holds for the value or for any value or step below it.
using ValueTest = std::function<bool(const Value &)>;
using StepTest = std::function<bool(const Step &)>;
bool any_of(const Value &value, const ValueTest &found, const StepTest &found_step = nullptr);
bool any_of(const Steps &steps, const ValueTest &found, const StepTest &found_step = nullptr);
bool any_of(const Step &step, const ValueTest &found, const StepTest &found_step = nullptr);

}  // namespace awl::typed
