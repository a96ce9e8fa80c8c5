#include "runtime/image/image_check.h"

#include <fmt/format.h>

namespace awl {
namespace {

constexpr uint32_t kMaxHistBits = 5;
constexpr uint64_t kMaxBuckets = 1 << 20;
constexpr uint32_t kMaxStateWords = 1 << 20;

bool register_size(uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

uint32_t display_size(Display display) {
  switch (display) {
    case Display::None: return 0;
    case Display::KernelSymbol:
    case Display::Username:
    case Display::ProbeName:
    case Display::FunctionName: return 8;
    case Display::UserSymbol:
    case Display::Timestamp:
    case Display::CgroupPath: return 16;
    case Display::Inet: return 20;
    case Display::MacAddress: return 6;
    case Display::Ratio: return 16;
  }
  return 0;
}

bool fields_fit(const Type &type) {
  for (const Field &field : type.fields) {
    if (!field.type || field.type->kind == TypeKind::Void) return false;
    uint64_t bytes = field.bits ? (uint64_t{field.bit_offset} + field.bits + 7) / 8 : field.stored_size();
    if (field.bits > 64 || (field.bits && !field.type->is_integral())) return false;
    if (uint64_t{field.offset} + bytes > type.size) return false;
  }
  return true;
}

bool aggregate_fits(const Type &type) {
  switch (type.aggregate) {
    case AggregateKind::Count: return type.size == 8;
    case AggregateKind::Hist:
      return type.hist_bits <= kMaxHistBits && type.size == (hist_buckets(type.hist_bits) + 1) * 8;
    case AggregateKind::LHist: {
      if (type.lhist_step <= 0 || type.lhist_max <= type.lhist_min) return false;
      uint64_t range = static_cast<uint64_t>(type.lhist_max) - static_cast<uint64_t>(type.lhist_min);
      uint64_t buckets = range / static_cast<uint64_t>(type.lhist_step) + 2;
      return buckets <= kMaxBuckets && type.size == (buckets + 1) * 8;
    }
    case AggregateKind::TSeries:
      return type.series_interval > 0 && type.series_length > 0 &&
             type.size == uint64_t{type.series_length} * kSeriesSlotSize;
    default: return type.size == 16;
  }
}

bool kind_fits(const Type &type) {
  switch (type.kind) {
    case TypeKind::Poison: return false;
    case TypeKind::Void: return type.size == 0;
    case TypeKind::Bool: return type.size == 1;
    case TypeKind::Int:
    case TypeKind::Enum: return register_size(type.size);
    case TypeKind::Pointer: return type.size == 8 && type.target;
    case TypeKind::Array: return type.target && uint64_t{type.target->size} * type.count == type.size;
    case TypeKind::Struct:
    case TypeKind::Tuple: return fields_fit(type);
    case TypeKind::String: return true;
    case TypeKind::Buffer: return type.size == uint64_t{type.count} + 4;
    case TypeKind::Stack: return type.size == 8;
    case TypeKind::Aggregate: return aggregate_fits(type);
  }
  return false;
}

Result<void> check_map(const MapInfo &map) {
  if (map.role != MapRole::User && map.role != MapRole::Twin && map.role != MapRole::Parts) return {};
  if (!map.value || map.value->kind == TypeKind::Void) return fail(fmt::format("map `{}` has no type", map.name));
  if (map.key && map.key->kind == TypeKind::Void) return fail(fmt::format("map `{}` has no key", map.name));
  if (map.parts < 0 && map.value_size < map.value->size)
    return fail(fmt::format("map `{}` is too small for its values", map.name));
  return {};
}

// A twin has the shape of its map, since what is read from one is decoded as the other.
Result<void> check_twin(const MapInfo &map, const Manifest &manifest) {
  if (map.twin < 0) return {};
  auto index = static_cast<size_t>(map.twin);
  if (index >= manifest.maps.size() || map.side_word >= manifest.state_words)
    return fail(fmt::format("map `{}` has no twin", map.name));
  const MapInfo &twin = manifest.maps[index];
  const MapRole role = map.role == MapRole::Parts ? MapRole::Parts : MapRole::Twin;
  if (twin.role != role || (twin.parts < 0) != (map.parts < 0) || twin.key != map.key || twin.value != map.value ||
      twin.value_size != map.value_size || twin.per_cpu != map.per_cpu)
    return fail(fmt::format("the twin of map `{}` is different", map.name));
  return {};
}

// The parts of a series: keys and values as MapInfo::parts says.
Result<void> check_parts(const MapInfo &map, const Manifest &manifest) {
  if (map.parts < 0) return {};
  auto index = static_cast<size_t>(map.parts);
  const auto sound = [&] {
    if (index >= manifest.maps.size() || map.value->kind != TypeKind::Aggregate || !in_parts(*map.value)) return false;
    const MapInfo &parts = manifest.maps[index];
    if (parts.role != MapRole::Parts || !parts.per_cpu || !parts.key || !parts.value) return false;
    const Type &value = *parts.value;
    if (value.kind != TypeKind::Aggregate || value.aggregate != AggregateKind::TSeries ||
        value.series != map.value->series || value.series_length != kSeriesPart)
      return false;
    const Type &key = *parts.key;
    if (!map.key) return key.kind == TypeKind::Int && key.size == 8;
    return key.kind == TypeKind::Tuple && key.fields.size() == 2 && key.fields[0].type == map.key &&
           key.fields[0].offset == 0 && key.fields[1].type->size == 8;
  };
  if (!sound()) return fail(fmt::format("map `{}` has no parts", map.name));
  return {};
}

// Files stand one behind the other in the text; a macro is called from where it is not yet expanded.
Result<void> check_source(const Manifest &manifest) {
  uint32_t end = 0;
  for (const SourceFile &file : manifest.files) {
    if (file.begin < end || file.end < file.begin || file.end > manifest.script_text.size())
      return fail(fmt::format("file `{}` lies outside of the text", file.name));
    end = file.end;
  }
  for (size_t i = 0; i < manifest.expansions.size(); i++)
    if (manifest.expansions[i].call.expansion > i) return fail("expansions out of order");
  return {};
}

}  // namespace

Result<void> check_type(const Type &type) {
  if (!kind_fits(type) || type.size < display_size(type.display)) {
    return fail(fmt::format("type `{}` of {} bytes", type.name, type.size));
  }
  return {};
}

Result<void> check_action(const Action &action, const Manifest &manifest) {
  const ActionShape &shape = shape_of(action.kind);
  if (action.map < (shape.has_map ? 0 : -1) || action.map >= static_cast<int64_t>(manifest.maps.size()))
    return fail("an action names no map");
  if (action.args.size() < shape.least_args) return fail("an action lacks arguments");
  for (const ArgSlot &slot : action.args)
    if (!slot.type || slot.offset < sizeof(RecordHeader) || uint64_t{slot.offset} + slot.type->size > action.size)
      return fail("an argument of an action lies outside of its record");
  if (action.kind == ActionKind::Packet && action.args[3].type->kind != TypeKind::Buffer)
    return fail("a packet has no bytes");
  return {};
}

Result<void> check_manifest(const Manifest &manifest) {
  for (const MapInfo &map : manifest.maps) {
    if (auto sound = check_map(map); !sound) return sound;
    if (auto sound = check_twin(map, manifest); !sound) return sound;
    if (auto sound = check_parts(map, manifest); !sound) return sound;
  }
  for (const Action &action : manifest.actions)
    if (auto sound = check_action(action, manifest); !sound) return sound;
  if (auto sound = check_source(manifest); !sound) return sound;
  if (!manifest.helper_sites.empty() &&
      manifest.helper_site_word + uint64_t{kHelperSiteWords} * manifest.helper_sites.size() > manifest.state_words)
    return fail("places of helpers without counters");
  if (manifest.state_words < manifest.place_word(manifest.places.size())) return fail("too few state words");
  for (const ScriptParam &param : manifest.params)
    if (param.word != 0 && (param.word < kParamCount || param.word >= kParamCount + manifest.params.size()))
      return fail(fmt::format("parameter {} has no word", param.name));
  const size_t first = kParamCount + manifest.params.size();
  for (const MachineWord &fact : manifest.machine)
    if (fact.word < kParamCount || fact.word >= first + manifest.machine.size())
      return fail(fmt::format("{} has no word", fact.name));
  if (manifest.state_words > kMaxStateWords) return fail("too many state words");
  return {};
}

}  // namespace awl
