#include "build.h"

namespace awl::testing {

Program &Script::program(const std::string &name) {
  Program &made = module.programs.emplace_back();
  made.name = name;
  made.always_runs = true;
  made.span = kPlace;
  return made;
}

uint32_t Script::map(const std::string &name, uint32_t bpf_type, const Type *key, const Type *value,
                     uint32_t value_size, uint32_t max_entries) {
  MapInfo info;
  info.name = "@" + name;
  info.bpf_name = "AT_" + name;
  info.bpf_type = bpf_type;
  info.key = key;
  info.value = value;
  info.value_size = value_size;
  info.max_entries = max_entries;
  manifest.maps.push_back(info);
  manifest.state_words = manifest.place_word(0);
  return manifest.maps.size() - 1;
}

uint32_t Script::plain_map(const std::string &name, const Type *key, const Type *value, uint32_t max_entries) {
  if (!key) return map(name, BPF_MAP_TYPE_ARRAY, nullptr, value, (value->size + 7) / 8 * 8 + 8, 1);
  return map(name, BPF_MAP_TYPE_HASH, key, value, value->size, max_entries);
}

uint32_t Script::aggregate_map(const std::string &name, const Type *key, const Type *value, uint32_t max_entries) {
  uint32_t size = 16;
  if (value->aggregate == AggregateKind::Count) size = 8;
  if (value->aggregate == AggregateKind::Hist) size = (hist_buckets(value->hist_bits) + 1) * 8;
  if (value->aggregate == AggregateKind::LHist)
    size = (lhist_buckets(value->lhist_min, value->lhist_max, value->lhist_step) + 1) * 8;
  uint32_t index = key ? map(name, BPF_MAP_TYPE_PERCPU_HASH, key, value, size, max_entries)
                       : map(name, BPF_MAP_TYPE_PERCPU_ARRAY, nullptr, value, size, 1);
  manifest.maps[index].per_cpu = true;
  return index;
}

uint32_t Script::action(ActionKind kind, const std::vector<const Type *> &args) {
  Action action;
  action.kind = kind;
  action.size = sizeof(RecordHeader);
  for (const Type *type : args) {
    action.args.push_back({type, action.size});
    action.size += (type->size + 7) / 8 * 8;
  }
  manifest.actions.push_back(action);
  return manifest.actions.size() - 1;
}

ValuePtr Script::number(int64_t value, const Type *type) {
  auto node = make<Const>(type ? type : i64());
  node->value = static_cast<uint64_t>(value);
  return node;
}

ValuePtr Script::bytes(const std::string &data, const Type *type) {
  auto node = make<Bytes>(type);
  node->data = data;
  return node;
}

ValuePtr Script::local(uint32_t index, const Type *type) {
  auto node = make<LocalGet>(type);
  node->local = index;
  return node;
}

ValuePtr Script::arg(uint32_t index, const Type *type) {
  auto node = make<CtxLoad>(type ? type : i64());
  node->offset = index * 8;
  return node;
}

ValuePtr Script::helper(int id, const Type *type) {
  auto node = make<HelperCall>(type ? type : u64());
  node->helper = id;
  return node;
}

ValuePtr Script::binary(Op op, ValuePtr left, ValuePtr right, bool is_signed) {
  auto node = make<BinaryOp>(is_signed ? i64() : u64());
  node->op = op;
  node->is_signed = is_signed;
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

ValuePtr Script::unary(Unary op, ValuePtr operand) {
  auto node = make<UnaryOp>(i64());
  node->op = op;
  node->operand = std::move(operand);
  return node;
}

ValuePtr Script::convert(const Type *type, ValuePtr operand) {
  auto node = make<Convert>(type);
  node->operand = std::move(operand);
  return node;
}

ValuePtr Script::compare(ValuePtr left, ValuePtr right, uint32_t count, bool stop_at_nul) {
  auto node = make<Compare>(i64());
  node->count = count;
  node->stop_at_nul = stop_at_nul;
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

ValuePtr Script::read_string(Space space, ValuePtr address, uint32_t size, ValuePtr limit) {
  auto node = make<ReadString>(types.string(size));
  node->space = space;
  node->address = std::move(address);
  node->limit = std::move(limit);
  return node;
}

ValuePtr Script::map_get(uint32_t map, ValuePtr key) {
  auto node = make<MapGet>(manifest.maps[map].value);
  node->map = map;
  node->key = std::move(key);
  return node;
}

StepPtr Script::set_local(uint32_t index, ValuePtr value) {
  auto step = make<LocalSet>();
  step->local = index;
  step->value = std::move(value);
  return step;
}

StepPtr Script::map_set(uint32_t map, ValuePtr key, ValuePtr value) {
  auto step = make<MapSet>();
  step->map = map;
  step->key = std::move(key);
  step->value = std::move(value);
  return step;
}

StepPtr Script::update(uint32_t map, ValuePtr key, ValuePtr argument) {
  auto step = make<AggregateUpdate>();
  step->map = map;
  step->key = std::move(key);
  step->argument = std::move(argument);
  return step;
}

StepPtr Script::evaluate(ValuePtr value) {
  auto step = make<Evaluate>();
  step->value = std::move(value);
  return step;
}

}  // namespace awl::testing
