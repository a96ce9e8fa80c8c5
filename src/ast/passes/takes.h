// Which prints of a map belong to a clear() or zero() right behind them: together they take what the map holds, and
// nothing that happens in between is lost or shown twice (MapInfo::twin).
#pragma once

#include <map>
#include <set>
#include <string>

#include "ast/passes/facts.h"

namespace awl::ast {

struct Takes {
  std::set<std::string> maps;             // "@x"
  std::map<const Node *, MapTake> calls;  // print(), percentiles(), clear(), zero()

  [[nodiscard]] MapTake of(const Node *call) const {
    auto it = calls.find(call);
    return it == calls.end() ? MapTake::No : it->second;
  }
};

// `print(@m); ... clear(@m);` in one block, with nothing between them that uses the map in another way or may leave
// the block. Probes that nothing runs beside (begin, end) need no care.
Takes find_takes(const CompileInput &input, const Facts &facts);

}  // namespace awl::ast
