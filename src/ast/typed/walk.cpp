#include "ast/typed/walk.h"

namespace awl::typed {

namespace {

using List = std::vector<const Value *>;

List of(std::initializer_list<const Value *> values) {
  List list;
  for (const Value *value : values)
    if (value) list.push_back(value);
  return list;
}

template <class Node>
const Node &as(const Value &value) {
  return static_cast<const Node &>(value);
}

}  // namespace

std::vector<const Value *> children(const Value &value) {
  switch (value.kind) {
    case Kind::HelperCall: {
      List list;
      for (const ValuePtr &arg : as<HelperCall>(value).args) list.push_back(arg.get());
      return list;
    }
    case Kind::Compose: {
      List list;
      for (auto &[offset, part] : as<Compose>(value).parts) list.push_back(part.get());
      return list;
    }
    case Kind::UnaryOp: return of({as<UnaryOp>(value).operand.get()});
    case Kind::BinaryOp: return of({as<BinaryOp>(value).left.get(), as<BinaryOp>(value).right.get()});
    case Kind::LogicalOp: return of({as<LogicalOp>(value).left.get(), as<LogicalOp>(value).right.get()});
    case Kind::Select:
      return of({as<Select>(value).condition.get(), as<Select>(value).then.get(), as<Select>(value).otherwise.get()});
    case Kind::Convert: return of({as<Convert>(value).operand.get()});
    case Kind::Load: return of({as<Load>(value).address.get()});
    case Kind::FieldAddress: return of({as<FieldAddress>(value).base.get()});
    case Kind::FieldLoad: return of({as<FieldLoad>(value).base.get()});
    case Kind::Compare: return of({as<Compare>(value).left.get(), as<Compare>(value).right.get()});
    case Kind::MapGet: return of({as<MapGet>(value).key.get()});
    case Kind::MapHas: return of({as<MapHas>(value).key.get()});
    case Kind::MapRemove: return of({as<MapRemove>(value).key.get()});
    case Kind::MapAddGet: return of({as<MapAddGet>(value).key.get()});
    case Kind::AggregateGet: return of({as<AggregateGet>(value).key.get()});
    case Kind::Part: return of({as<Part>(value).operand.get()});
    case Kind::ReadString: return of({as<ReadString>(value).address.get(), as<ReadString>(value).limit.get()});
    case Kind::ReadBuffer: return of({as<ReadBuffer>(value).address.get(), as<ReadBuffer>(value).length.get()});
    case Kind::Sequence: return of({as<Sequence>(value).value.get()});
    default: return {};
  }
}

}  // namespace awl::typed
