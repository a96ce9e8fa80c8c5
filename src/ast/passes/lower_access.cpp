// Lowering of what stands in memory: fields, array elements, what a pointer points at.
#include <linux/bpf.h>

#include <cassert>

#include "ast/passes/lowering.h"

namespace awl::ast {

namespace {

typed::Space space_from(AddressSpace space) {
  switch (space) {
    case AddressSpace::Kernel: return typed::Space::Kernel;
    case AddressSpace::User: return typed::Space::User;
    case AddressSpace::Unknown: return typed::Space::Any;
  }
  return typed::Space::Any;
}

bool is_builtin(const Expr *expr, std::string_view name) {
  if (const auto *e = as<Identifier>(expr)) return e->name == name;
  if (const auto *e = as<Call>(expr)) return e->name == name;
  return false;
}
bool is_curtask(const Expr *expr) { return is_builtin(expr, "curtask"); }
bool is_retval(const Expr *expr) { return is_builtin(expr, "retval"); }

}  // namespace

// What stands for the record that is the program's context.
bool Lowering::is_args(const Expr *expr) const {
  return is_builtin(expr, "args") || (unit().context.prog_type == ProgType::Iter && is_builtin(expr, "ctx"));
}

// True if the verifier knows what the pointer points at, so that it may be read by plain loads: the current task and
// what is reached from it through pointers to structs.
bool Lowering::trusted(Expr *expr) {
  const Type *t = type(expr);
  if (!t || !t->is_pointer() || t->target->kind != TypeKind::Struct || t->target->origin != Origin::KernelBtf ||
      t->space == AddressSpace::User)
    return false;
  if (is_curtask(expr)) return true;
  if (unit().context.args_trusted) {
    if (auto *field = as<FieldAccess>(expr); field && is_args(field->base)) return true;
    if (is_retval(expr)) return true;
  }
  if (auto *c = as<Cast>(expr)) {  // `(struct task_struct *)curtask`, as in scripts of 2019
    const Type *before = type(c->operand);
    return before && before->is_pointer() && before->target == t->target && trusted(c->operand);
  }
  if (auto *v = as<Variable>(expr)) return trusted_locals_[input_.names.local_of[v]];
  if (auto *f = as<FieldAccess>(expr)) {
    const Type *base = type(f->base);
    if (base && base->is_pointer()) return trusted(f->base);
    if (auto *outer = as<FieldAccess>(f->base)) {  // embedded struct: look at what it is embedded in
      while (type(outer->base) && !type(outer->base)->is_pointer()) {
        outer = as<FieldAccess>(outer->base);
        if (!outer) return false;
      }
      return trusted(outer->base);
    }
  }
  return false;
}

typed::Space Lowering::space_of(Expr *pointer) {
  if (trusted(pointer)) return typed::Space::Trusted;
  const Type *t = type(pointer);
  if (t && t->is_pointer() && t->space != AddressSpace::Unknown) return space_from(t->space);
  // A number or a cast one: what it is made from decides. The verifier follows it with the type it had before.
  auto made_from = [&](Expr *origin) {
    typed::Space space = space_of(origin);
    return space == typed::Space::Trusted ? typed::Space::Kernel : space;
  };
  if (auto *c = as<Cast>(pointer)) return made_from(c->operand);
  if (auto *b = as<Binary>(pointer))
    return made_from(type(b->left) && type(b->left)->is_pointer() ? b->left : b->right);
  if (auto *i = as<Identifier>(pointer); i && (argument_number(i->name) || i->name == "retval"))
    return unit().context.user_code
               ? typed::Space::User
               : space_from(unit().context.arg_space == AddressSpace::User ? AddressSpace::User
                                                                           : AddressSpace::Unknown);
  if (auto *f = as<FieldAccess>(pointer)) {
    Expr *base = f->base;
    if (is_args(base)) return space_from(unit().context.arg_space);
    const Type *owner = type(base);
    if (owner && owner->is_pointer() && owner->target->kind == TypeKind::Struct &&
        owner->target->origin == Origin::KernelBtf)
      return t && t->is_pointer() ? typed::Space::Kernel : typed::Space::Any;
    return space_of(base);
  }
  if (auto *x = as<Index>(pointer)) return space_of(x->base);
  return unit().context.user_code ? typed::Space::User : typed::Space::Any;
}

std::optional<Lowering::Place> Lowering::place(Expr *expr) {
  if (auto *f = as<FieldAccess>(expr)) return field_place(f);
  if (auto *x = as<Index>(expr)) return index_place(x);
  if (auto *u = as<Unary>(expr); u && u->op == UnaryOp::Deref) {
    Place out;
    out.space = space_of(u->operand);
    out.base = value(u->operand);
    const Type *pointer = type(u->operand);
    out.type = pointer->is_pointer() ? pointer->target : store().uint64();
    return out;
  }
  return std::nullopt;
}

const UserVariable *Lowering::user_variable(const FieldAccess *expr) const {
  return is_args(expr->base) ? unit().context.variable(expr->name) : nullptr;
}

// What the steps leave on their stack.
typed::ValuePtr Lowering::follow(const std::vector<PlaceStep> &steps, Span span) {
  using Op = PlaceStep::Op;
  const Type *u64 = store().uint64();
  std::vector<typed::ValuePtr> stack;
  auto pop = [&] {
    if (stack.empty()) return make_const(u64, 0, span);
    typed::ValuePtr top = std::move(stack.back());
    stack.pop_back();
    return top;
  };
  auto binary = [&](typed::Op op, bool is_signed = false) {
    typed::ValuePtr right = pop(), left = pop();
    stack.push_back(make_binary(op, is_signed, std::move(left), std::move(right), u64));
  };
  auto unary = [&](typed::Unary op) {
    auto out = make_value<typed::UnaryOp>(u64, span);
    out->op = op;
    out->operand = pop();
    stack.push_back(std::move(out));
  };
  for (const PlaceStep &step : steps) {
    switch (step.op) {
      case Op::Number: stack.push_back(make_const(u64, step.number, span)); break;
      case Op::Register: {
        auto out = make_value<typed::CtxLoad>(u64, span);
        out->offset = static_cast<uint32_t>(step.number);
        stack.push_back(std::move(out));
        break;
      }
      case Op::Add: binary(typed::Op::Add); break;
      case Op::Sub: binary(typed::Op::Sub); break;
      case Op::Mul: binary(typed::Op::Mul); break;
      case Op::And: binary(typed::Op::And); break;
      case Op::Or: binary(typed::Op::Or); break;
      case Op::Xor: binary(typed::Op::Xor); break;
      case Op::ShiftLeft: binary(typed::Op::ShiftLeft); break;
      case Op::ShiftRight: binary(typed::Op::ShiftRight); break;
      case Op::ShiftRightSigned: binary(typed::Op::ShiftRight, true); break;
      case Op::Negate: unary(typed::Unary::Negate); break;
      case Op::Not: unary(typed::Unary::BitNot); break;
      case Op::Deref: {
        auto out = make_value<typed::Load>(u64, span);
        out->space = typed::Space::User;
        out->address = pop();
        stack.push_back(std::move(out));
        break;
      }
    }
  }
  return pop();
}

// A copy of a variable that stands in several registers or places.
typed::ValuePtr Lowering::gather(const UserVariable &variable, Span span) {
  auto out = make_value<typed::Compose>(variable.type, span);
  uint32_t offset = 0;
  for (const VariablePiece &piece : variable.place.pieces) {
    typed::ValuePtr part = follow(piece.place.steps, span);
    if (piece.place.kind == VariablePlace::Kind::Memory) {
      auto load = make_value<typed::Load>(store().array(store().integer(1, false), piece.size), span);
      load->space = typed::Space::User;
      load->address = std::move(part);
      part = std::move(load);
    } else {
      part = coerce(std::move(part), store().integer(piece.size, false));
    }
    out->parts.emplace_back(offset, std::move(part));
    offset += piece.size;
  }
  return out;
}

std::optional<Lowering::Place> Lowering::field_place(FieldAccess *expr) {
  const Type *base = type(expr->base);
  if (!base || base->is_poison() || base->kind == TypeKind::Tuple) return std::nullopt;
  if (const UserVariable *variable = user_variable(expr)) {
    if (variable->place.kind != VariablePlace::Kind::Memory) return std::nullopt;
    Place out;
    out.space = typed::Space::User;
    out.base = follow(variable->place.steps, expr->span);
    out.type = variable->type;
    return out;
  }
  if (is_args(expr->base)) {
    Place out;
    auto field = store().field(base->target, expr->name);
    out.space = typed::Space::Context;
    out.field = **field;
    out.type = out.field.type;
    return out;
  }
  if (base->is_pointer()) {
    Place out;
    out.space = space_of(expr->base);
    out.base = value(expr->base);
    out.field = **store().field(base->target, expr->name);
    out.type = out.field.type;
    return out;
  }
  std::optional<Place> outer = place(expr->base);
  if (!outer) return std::nullopt;
  FieldRef inner = **store().field(base, expr->name);
  if (!outer->field.owner) {
    outer->field = inner;
  } else if (outer->field.owner->origin == inner.owner->origin || inner.owner->origin == Origin::None) {
    outer->field.path.insert(outer->field.path.end(), inner.path.begin(), inner.path.end());
    outer->field.offset += inner.offset;
    outer->field.bit_offset = inner.bit_offset;
    outer->field.bits = inner.bits;
    outer->field.type = inner.type;
  } else {
    // A kernel struct embedded in one of the script or the other way round: two steps.
    typed::Space space = outer->space;
    Place next;
    next.base = address(std::move(*outer), expr->span);
    next.space = space;
    next.field = inner;
    next.type = inner.type;
    return next;
  }
  outer->type = inner.type;
  return outer;
}

std::optional<Lowering::Place> Lowering::index_place(Index *expr) {
  const Type *base = type(expr->base);
  if (!base || base->is_poison()) return std::nullopt;
  Place out;
  const Type *element = nullptr;
  if (base->is_pointer()) {
    out.space = space_of(expr->base);
    if (out.space == typed::Space::Trusted) out.space = typed::Space::Kernel;
    element = base->target;
    out.base = value(expr->base);
  } else if (base->kind == TypeKind::Array || base->is_string()) {
    std::optional<Place> array = place(expr->base);
    if (!array) return std::nullopt;
    element = base->is_string() ? store().integer(1, true) : base->target;
    out.space = array->space == typed::Space::Trusted ? typed::Space::Kernel : array->space;
    if (out.space == typed::Space::Context) out.space = typed::Space::Kernel;
    out.base = address(std::move(*array), expr->base->span);
  } else {
    return std::nullopt;
  }
  typed::ValuePtr offset = make_binary(typed::Op::Mul, false, value(expr->index),
                                       make_const(store().uint64(), element->size, expr->span), store().uint64());
  out.base = make_binary(typed::Op::Add, false, std::move(out.base), std::move(offset), store().pointer(element));
  out.type = element;
  return out;
}

typed::ValuePtr Lowering::address(Place place, Span span) {
  if (place.space == typed::Space::Context && !place.base)
    place.base = make_value<typed::CtxPointer>(store().uint64(), span);
  const Type *pointer = store().pointer(place.type);
  if (!place.field.owner) return std::move(place.base);
  need_core(place.field);
  if (place.field.data_loc) {
    // {uint16 offset, uint16 length} in the record: the data stand at that offset of it.
    auto raw = make_value<typed::CtxField>(store().integer(4, false), span);
    raw->field = place.field;
    auto offset = make_binary(typed::Op::And, false, std::move(raw), make_const(store().uint64(), 0xffff, span),
                              store().uint64());
    return make_binary(typed::Op::Add, false, make_value<typed::CtxPointer>(store().uint64(), span), std::move(offset),
                       place.type->is_pointer() ? place.type : store().pointer(place.type, AddressSpace::Kernel));
  }
  auto out = make_value<typed::FieldAddress>(pointer, span);
  out->base = std::move(place.base);
  out->field = place.field;
  return out;
}

typed::ValuePtr Lowering::load(Place place, Span span) {
  const Type *value_type = field_value_type(store(), place.type);
  if (is_text_in_record(place.field))
    value_type = store().string(static_cast<uint32_t>(input_.config.max_strlen));
  else if (place.field.data_loc)
    return address(std::move(place), span);
  if (value_type->is_string()) {
    auto out = make_value<typed::ReadString>(value_type, span);
    out->space = place.space == typed::Space::Context || place.space == typed::Space::Trusted ? typed::Space::Kernel
                                                                                              : place.space;
    out->address = address(std::move(place), span);
    return out;
  }
  if (place.space == typed::Space::Context) {
    need_core(place.field);
    if (value_type->is_scalar()) {
      auto out = make_value<typed::CtxField>(value_type, span);
      out->field = place.field;
      return out;
    }
    auto out = make_value<typed::Load>(value_type, span);
    out->space = typed::Space::Kernel;
    out->address = address(std::move(place), span);
    return out;
  }
  if (!place.field.owner) {
    auto out = make_value<typed::Load>(value_type, span);
    out->space = place.space;
    out->address = std::move(place.base);
    return out;
  }
  need_core(place.field);
  auto out = make_value<typed::FieldLoad>(value_type, span);
  out->space = place.space;
  out->base = std::move(place.base);
  out->field = place.field;
  return out;
}

typed::ValuePtr Lowering::lower_index(Index *expr) {
  const Type *base = type(expr->base);
  if (!base || base->is_poison()) return nullptr;
  if (base->kind == TypeKind::Tuple) {
    const Field &f = base->fields[static_cast<size_t>(constant(expr->index).value_or(0))];
    auto out = make_value<typed::Part>(f.type, expr->span);
    out->operand = value(expr->base);
    out->offset = f.offset;
    return out;
  }
  if (std::optional<Place> where = place(expr)) return load(std::move(*where), expr->span);
  std::optional<int64_t> number = constant(expr->index);
  if (!number) return lower_element(expr);
  const Type *element = base->is_string() ? store().integer(1, true) : base->target;
  auto out = make_value<typed::Part>(type(expr), expr->span);
  out->operand = value(expr->base);
  out->offset = static_cast<uint32_t>(*number) * element->size;
  return out;
}

// An element of a copy, by a number that only the program knows: read like any memory, 0 behind the end.
typed::ValuePtr Lowering::lower_element(Index *expr) {
  const Type *base = type(expr->base), *element = type(expr), *u64 = store().uint64();
  Span span = expr->span;
  uint32_t size = base->is_string() ? 1 : base->target->size;
  auto *variable = as<Variable>(expr->base);
  uint32_t copy = variable ? input_.names.local_of[variable] : new_local(base);
  if (!variable) set_local(copy, value(expr->base), span);
  uint32_t index = new_local(u64);
  set_local(index, value_as(expr->index, u64), expr->index->span);
  auto start = make_value<typed::LocalAddress>(u64, span);
  start->local = copy;
  auto load = make_value<typed::Load>(element, span);
  load->space = typed::Space::Kernel;
  load->address =
      make_binary(typed::Op::Add, false, std::move(start),
                  make_binary(typed::Op::Mul, false, get_local(index, span), make_const(u64, size, span), u64), u64);
  auto out = make_value<typed::Select>(element, span);
  out->condition = make_binary(typed::Op::Less, false, get_local(index, span),
                               make_const(u64, base->size / std::max(size, 1U), span), store().boolean());
  out->then = std::move(load);
  if (element->is_scalar())
    out->otherwise = make_const(element, 0, span);
  else
    out->otherwise = make_value<typed::Compose>(element, span);
  return out;
}

}  // namespace awl::ast
