// Walking the typed IR: the values that a value is made of.
#pragma once

#include <vector>

#include "ast/typed/typed.h"

namespace awl::typed {

// In the order of evaluation; optional ones that are missing are left out. The steps of a Sequence are not values.
std::vector<const Value *> children(const Value &value);

}  // namespace awl::typed
