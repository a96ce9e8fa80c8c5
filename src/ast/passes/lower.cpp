// Units, maps and actions; the shared parts of Lowering.
#include <linux/bpf.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

#include "ast/passes/helper_sites.h"
#include "ast/passes/lowering.h"
#include "ast/typed/walk.h"
#include "ast/walk.h"

namespace awl::ast {

typed::ValuePtr make_const(const Type *type, uint64_t value, Span span) {
  auto out = make_value<typed::Const>(type, span);
  out->value = value;
  return out;
}

typed::ValuePtr make_binary(typed::Op op, bool is_signed, typed::ValuePtr left, typed::ValuePtr right,
                            const Type *type) {
  auto out = make_value<typed::BinaryOp>(type, join(left->span, right->span));
  out->op = op;
  out->is_signed = is_signed;
  out->left = std::move(left);
  out->right = std::move(right);
  return out;
}

namespace {

uint32_t round_up(uint32_t size) { return (size + 7) & ~7U; }

// A name that is allowed in BTF, from an attach point.
std::string program_name(uint32_t index, std::string_view text) {
  std::string out = "p" + std::to_string(index) + "_";
  for (char c : text.substr(0, 40)) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return out;
}

uint32_t map_type(const MapFacts &facts, bool aggregate, bool keyed) {
  if (!keyed) return aggregate ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY;
  bool lru = facts.declared && facts.declared->kind.find("lru") == 0;
  if (facts.declared && facts.declared->kind == "percpulruhash") lru = true;
  if (aggregate) return lru ? BPF_MAP_TYPE_LRU_PERCPU_HASH : BPF_MAP_TYPE_PERCPU_HASH;
  return lru ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH;
}

// Maps that one run of a timer's program may give several new keys. It runs with interrupts off, so that the allocator
// of entries that are made on demand cannot get more memory: it has one entry for a CPU then.
std::set<std::string> filled_by_timers(const CompileInput &input) {
  std::set<std::string> maps;
  for (const Unit &unit : input.units) {
    // A function may be called by a timer, and several times.
    bool called = unit.function && unit.reached;
    if ((unit.context.prog_type != ProgType::PerfEvent && !called) || !unit.body) continue;
    std::map<std::string, int> assignments;
    bool loops = called;
    for_each_node(unit.body, [&](const Node *node) {
      loops = loops || node->kind == NodeKind::While || node->kind == NodeKind::Unroll ||
              node->kind == NodeKind::ForMap || node->kind == NodeKind::ForRange;
      if (const auto *assign = as<Assign>(node))
        if (const auto *access = as<MapAccess>(assign->target)) assignments["@" + access->name]++;
    });
    for (const auto &[name, count] : assignments)
      if (count > 1 || loops) maps.insert(name);
  }
  return maps;
}

MapInfo make_map(TypeStore &store, const MapFacts &facts, const ConfigValues &config, bool preallocate) {
  MapInfo info;
  info.name = facts.name;
  info.bpf_name = "AT_" + facts.name.substr(1);
  info.span = facts.first;
  bool keyed = !facts.keys.empty();
  bool aggregate = facts.value->kind == TypeKind::Aggregate;
  info.key = !keyed ? nullptr : facts.keys.size() == 1 ? facts.keys[0] : store.tuple(facts.keys);
  info.value = facts.value;
  info.per_cpu = aggregate;
  info.bpf_type = map_type(facts, aggregate, keyed);
  info.max_entries = !keyed           ? 1
                     : facts.declared ? static_cast<uint32_t>(facts.declared->max_entries)
                                      : static_cast<uint32_t>(config.max_map_keys);
  // Preallocating a per-CPU hash costs 2 ms at start for 4096 entries; entries made on demand cost nothing measurable
  // per event (since Linux 6.1 their allocator works in every context, but see filled_by_timers).
  if (info.bpf_type == BPF_MAP_TYPE_PERCPU_HASH && !preallocate) info.flags = BPF_F_NO_PREALLOC;
  info.value_size = aggregate ? facts.value->size
                    : keyed   ? std::max(facts.value->size, 1U)
                              : round_up(facts.value->size) + 8;
  if (aggregate && in_parts(*facts.value)) {  // the keys alone
    info.per_cpu = false;
    info.bpf_type = map_type(facts, false, keyed);
    info.flags = 0;
    info.value_size = 8;
  }
  return info;
}

// See MapInfo::parts. Where they could be many, entries are made when there is something in them, and the loader lowers
// their number to what memory allows.
MapInfo make_parts(TypeStore &store, const MapInfo &map) {
  constexpr uint64_t kMost = 1 << 20;  // a hash has 16 bytes for each
  MapInfo parts;
  parts.name = map.name;
  parts.bpf_name = (map.role == MapRole::Twin ? "AQ_" : "AP_") + map.name.substr(1);
  parts.role = MapRole::Parts;
  parts.span = map.span;
  parts.bpf_type = BPF_MAP_TYPE_PERCPU_HASH;
  parts.per_cpu = true;
  const uint64_t keys = map.key ? map.max_entries : 1;
  parts.max_entries = static_cast<uint32_t>(std::min(keys * series_parts(map.value->series_length), kMost));
  parts.key = map.key ? store.tuple({map.key, store.uint64()}) : store.uint64();
  const Type &series = *map.value;
  parts.value = store.tseries(series.target, series.series_interval, kSeriesPart, series.series);
  parts.value_size = parts.value->size;
  // The kernel's allocator has few blocks of this size ready when many are wanted at once.
  constexpr uint64_t kPreallocated = 1 << 20;  // on each CPU
  if (uint64_t{parts.max_entries} * parts.value_size > kPreallocated) parts.flags = BPF_F_NO_PREALLOC;
  return parts;
}

}  // namespace

namespace {

// Words of awl_state behind those that every program has.
void lay_out_state(Lowered &out) {
  Manifest &manifest = out.manifest;
  uint32_t words = manifest.place_word(manifest.places.size());
  for (MapInfo &map : manifest.maps) {
    if (map.twin < 0 || map.role == MapRole::Parts) continue;
    map.side_word = words++;
    if (map.parts >= 0) manifest.maps[static_cast<size_t>(map.parts)].side_word = map.side_word;
  }
  manifest.helper_sites = find_helper_sites(out.module, manifest.config.helper_errors);
  manifest.helper_site_word = words;
  manifest.state_words = words + kHelperSiteWords * static_cast<uint32_t>(manifest.helper_sites.size());
}

// A function that nobody calls costs nothing, nor do maps that only such functions use.
std::set<std::string> maps_of_unused_functions(const std::vector<Unit> &units) {
  std::set<std::string> used, unused;
  for (const Unit &unit : units) {
    auto note = [&](const Node *node) {
      if (const auto *access = as<MapAccess>(node)) (unit.reached ? used : unused).insert("@" + access->name);
    };
    for_each_node<Node>(unit.predicate, note);
    for_each_node<Node>(unit.body, note);
  }
  for (const std::string &name : used) unused.erase(name);
  return unused;
}

void warn_never_set(const Facts &facts, const MapFacts &map, Diagnostics &diagnostics) {
  std::vector<std::string> others;
  for (const auto &[name, other] : facts.maps)
    if (!other.never_set) others.push_back(name);
  const std::string guess = nearest(map.name, others);
  diagnostics.emit(diag::ReadOnlyMap, map.first, map.name)
      .with_hint(guess.empty() ? "assign to it, e.g. `" + map.name + " = count()`" : "did you mean `" + guess + "`?");
}

}  // namespace

Lowered lower(const CompileInput &input, const Facts &facts, const Source &source, Diagnostics &diagnostics) {
  Lowered out;
  out.manifest.files = source.files();
  out.manifest.expansions = source.expansions();
  out.manifest.script_text = source.text();
  out.manifest.config = input.config;
  const std::set<std::string> timers = filled_by_timers(input);
  const std::set<std::string> unused = maps_of_unused_functions(input.units);
  for (const auto &[name, map] : facts.maps) {
    if (unused.contains(name)) continue;
    if (map.declared && !map.shape_known) {
      diagnostics.emit(diag::UnusedMap, map.first, name);
      continue;
    }
    if (!map.value || map.value->is_poison()) {
      diagnostics.emit(diag::UndefinedMap, map.first, name).with_hint("assign to it, e.g. `" + name + " = count()`");
      continue;
    }
    if (map.never_set) warn_never_set(facts, map, diagnostics);
    out.manifest.maps.push_back(make_map(input.store, map, input.config, timers.contains(name)));
  }
  if (diagnostics.has_errors()) return out;
  Lowering lowering(input, facts, out, diagnostics);
  for (uint32_t u = 0; u < input.units.size(); u++)
    if (input.units[u].function && input.units[u].reached) lowering.lower_function(u);
  for (uint32_t u = 0; u < input.units.size(); u++)
    if (!input.units[u].function) lowering.lower_unit(u);
  lay_out_state(out);
  return out;
}

Lowering::Lowering(const CompileInput &input, const Facts &facts, Lowered &out, Diagnostics &diagnostics)
    : input_(input), facts_(facts), out_(out), diagnostics_(diagnostics), takes_(find_takes(input, facts)) {
  for (uint32_t i = 0; i < out.manifest.maps.size(); i++) {
    map_index_[out.manifest.maps[i].name] = i;
    complete(out.manifest.maps[i].key);
    complete(out.manifest.maps[i].value);
  }
  for (const std::string &name : takes_.maps) {
    uint32_t index = map_index(name);
    MapInfo twin = out.manifest.maps[index];
    twin.bpf_name = "AU_" + twin.name.substr(1);
    twin.role = MapRole::Twin;
    out.manifest.maps[index].twin = static_cast<int32_t>(out.manifest.maps.size());
    out.manifest.maps.push_back(std::move(twin));
  }
  add_parts();
}

void Lowering::add_parts() {
  std::vector<MapInfo> &maps = out_.manifest.maps;
  const size_t count = maps.size();
  for (size_t i = 0; i < count; i++) {
    if (maps[i].value->kind != TypeKind::Aggregate || !in_parts(*maps[i].value)) continue;
    maps[i].parts = static_cast<int32_t>(maps.size());
    MapInfo parts = make_parts(store(), maps[i]);
    complete(parts.key);
    maps.push_back(std::move(parts));
  }
  for (size_t i = 0; i < count; i++)
    if (maps[i].parts >= 0 && maps[i].twin >= 0)
      maps[static_cast<size_t>(maps[i].parts)].twin = maps[static_cast<size_t>(maps[i].twin)].parts;
}

// `probe` is told by the attach cookie where one program serves many. So is `func`, but that is the same for a
// function's entry and its return. Functions of the script may ask, too.
static bool may_ask_for_own_name(const typed::Program &program) {
  return typed::any_of(program.body,
                       [](const typed::Value &value) {
                         if (value.kind == typed::Kind::Call || value.kind == typed::Kind::CCall) return true;
                         return value.kind == typed::Kind::HelperCall && value.type->display == Display::ProbeName &&
                                static_cast<const typed::HelperCall &>(value).helper == BPF_FUNC_get_attach_cookie;
                       },
                       {});
}

void Lowering::lower_unit(uint32_t index) {
  unit_ = index;
  const Unit &u = unit();
  typed::Program program;
  program.name = program_name(index, u.text);
  program.prog_type = u.context.prog_type;
  program.filter_pid = u.context.filter_pid;
  program.selects = u.context.selects();
  program.pinned = u.is_pinned();
  program.always_runs = u.is_run_by_session() || program.pinned;
  // Watchpoints as well: they are narrowed to the command of -c like all that can be attached to one process.
  const Provider *provider = find_provider(u.target.provider);
  program.preemptible = u.context.user_code || (provider && provider->in_user_code()) || program.pinned;
  if (u.context.prog_type == ProgType::Iter)  // behind the last object, and for objects without something
    for (const Field &field : u.context.args->fields)
      if (field.type->is_pointer() && field.offset != 0) program.nullable.push_back(field.offset);
  program.span = u.span;
  routine_ = &program;
  steps_ = &program.body;
  make_locals();
  if (u.predicate) {
    auto branch = make_step<typed::Branch>(u.predicate->span);
    branch->condition = truth(u.predicate);
    branch->otherwise = collect([&] {
      auto leave = make_step<typed::Leave>(u.predicate->span);
      leave->what = typed::LeaveKind::Return;
      add(std::move(leave));
    });
    add(std::move(branch));
  }
  if (u.body) lower_block(u.body);
  out_.manifest.probes.push_back(
      {u.target.provider, u.text, program.name, u.span, u.source_index, may_ask_for_own_name(program)});
  out_.module.programs.push_back(std::move(program));
  routine_ = nullptr;
}

// The variables that the script names.
void Lowering::make_locals() {
  const std::vector<LocalFacts> &locals = input_.names.locals[unit_];
  trusted_locals_.assign(locals.size(), false);
  for (size_t i = 0; i < locals.size(); i++) {
    const Type *type = facts_.locals[unit_][i];
    routine_->locals.push_back({locals[i].name, type ? type : store().int64()});
  }
}

void Lowering::lower_function(uint32_t index) {
  unit_ = index;
  const ast::Function &source = *unit().function;
  typed::Function function;
  function.name = "fn_" + source.name;
  function.span = unit().span;
  function.params = static_cast<uint32_t>(source.params.size());
  routine_ = &function;
  steps_ = &function.body;
  make_locals();
  if (const Type *result = facts_.results[index]; result && result->kind != TypeKind::Void) {
    function.result = result;
    function.result_local = result_local_ = new_local(result);
  }
  lower_block(unit().body);
  functions_[&source] = static_cast<uint32_t>(out_.module.functions.size());
  out_.module.functions.push_back(std::move(function));
  routine_ = nullptr;
}

uint32_t Lowering::new_local(const Type *type) {
  routine_->locals.push_back({"", type});
  return static_cast<uint32_t>(routine_->locals.size() - 1);
}

void Lowering::set_local(uint32_t local, typed::ValuePtr value, Span span) {
  auto step = make_step<typed::LocalSet>(span);
  step->local = local;
  step->value = std::move(value);
  add(std::move(step));
}

typed::ValuePtr Lowering::get_local(uint32_t local, Span span) {
  auto out = make_value<typed::LocalGet>(routine_->locals[local].type, span);
  out->local = local;
  return out;
}

// The runtime shows structs by their fields, so an Image holds them, also of those inside of other values.
void Lowering::complete(const Type *type) {
  if (!type) return;
  if (type->kind == TypeKind::Array) complete(type->target);
  if (type->kind == TypeKind::Tuple)
    for (const Field &field : type->fields) complete(field.type);
  if (type->kind == TypeKind::Struct)
    if (Result<void> done = store().complete(type); !done) error_not_supported(unit().span, done.error().message);
}

void Lowering::emit(Action action, typed::Values args, Span span) {
  if (unit().is_pinned()) return refuse_pinned(span);
  uint32_t offset = sizeof(RecordHeader);
  action.args.clear();
  for (const typed::ValuePtr &arg : args) {
    complete(arg->type);
    action.args.push_back({arg->type, offset});
    offset += round_up(arg->type->size);
  }
  action.size = offset;
  action.span = span;
  auto step = make_step<typed::Emit>(span);
  step->action = static_cast<uint32_t>(manifest().actions.size());
  step->args = std::move(args);
  manifest().actions.push_back(std::move(action));
  add(std::move(step));
}

uint32_t Lowering::map_index(const std::string &name) const { return map_index_.at(name); }

uint32_t Lowering::stack_map(uint32_t frames) {
  std::string name = "stack_" + std::to_string(frames);
  if (auto it = map_index_.find(name); it != map_index_.end()) return it->second;
  MapInfo info;
  info.name = info.bpf_name = name;
  info.role = MapRole::Stack;
  info.bpf_type = BPF_MAP_TYPE_STACK_TRACE;
  info.max_entries = 16384;
  info.stack_frames = frames;
  info.value_size = 8 * frames;
  auto index = static_cast<uint32_t>(manifest().maps.size());
  manifest().maps.push_back(std::move(info));
  map_index_[name] = index;
  return index;
}

uint32_t Lowering::string_index(const std::string &text) {
  auto &strings = manifest().strings;
  auto it = std::ranges::find(strings, text);
  if (it == strings.end()) it = strings.insert(strings.end(), text);
  return static_cast<uint32_t>(it - strings.begin());
}

typed::ValuePtr Lowering::machine_fact(MachineFact fact, const std::string &name, Span span) {
  std::vector<MachineWord> &known = manifest().machine;
  auto it = std::ranges::find_if(known, [&](const MachineWord &one) { return one.fact == fact && one.name == name; });
  if (it == known.end()) {
    const size_t open = input_.open_params ? input_.open_params->all().size() : 0;
    it = known.insert(it, {fact, name, static_cast<uint32_t>(kParamCount + open + known.size()), span});
  }
  auto out = make_value<typed::Param>(store().uint64(), span);
  out->word = static_cast<ParamWord>(it->word);
  return out;
}

uint32_t Lowering::error_place(RunError error, Span span) {
  auto &places = manifest().places;
  // A body that serves several probes is lowered for each of them, and stands at one place all the same.
  auto it = std::ranges::find_if(places, [&](const ErrorPlace &place) {
    return place.error == error && place.span.begin == span.begin && place.span.end == span.end;
  });
  if (it == places.end()) it = places.insert(places.end(), {error, span});
  return static_cast<uint32_t>(it - places.begin());
}

void Lowering::need_core(const FieldRef &field) {
  if (!field.relocated()) return;
  const Type *owner = field.owner;
  std::string name = owner->origin == Origin::Tracefs ? "tracepoint " + owner->name : to_string(owner);
  auto &list = manifest().core_structs;
  auto it = std::ranges::find(list, name, &CoreStruct::name);
  if (it == list.end()) it = list.insert(list.end(), CoreStruct{name, {}});
  if (std::ranges::find(it->paths, field.path) == it->paths.end()) it->paths.push_back(field.path);
}

typed::ValuePtr Lowering::current_task(Span span) {
  auto call = make_value<typed::HelperCall>(store().poison(), span);
  if (auto task = store().find("struct task_struct"); task && *task)
    call->type = store().pointer(**task, AddressSpace::Kernel);
  else
    call->type = store().uint64();
  call->helper = BPF_FUNC_get_current_task_btf;
  return call;
}

std::optional<int64_t> Lowering::constant(const Expr *expr) const { return fold_constant(input_, facts_, expr); }
std::optional<std::string> Lowering::literal(const Expr *expr) const { return fold_literal(input_, facts_, expr); }

void Lowering::refuse_pinned(Span span) {
  diagnostics_.emit(diag::PinnedAction, span)
      .with_hint("awl has ended when it is read; maps can be kept and shown there");
}

void Lowering::error_not_supported(Span span, const std::string &what) {
  diagnostics_.emit(diag::NotSupported, span, what);
}

}  // namespace awl::ast
