// The members of every struct in an Image, in the order of the file; a change here is a new kImageVersion. Structured
// bindings, so that a member added in manifest.h or type.h and forgotten here does not compile.
#pragma once

#include <iterator>

#include "runtime/image/manifest.h"

namespace awl {

// Largest value of each enum that is stored; what is read beyond is malformed.
constexpr TypeKind largest(TypeKind) { return TypeKind::Aggregate; }
constexpr Display largest(Display) { return Display::Ratio; }
constexpr AddressSpace largest(AddressSpace) { return AddressSpace::User; }
constexpr AggregateKind largest(AggregateKind) { return AggregateKind::TSeries; }
constexpr StackMode largest(StackMode) { return StackMode::Folded; }
constexpr SeriesKind largest(SeriesKind) { return SeriesKind::Sum; }
constexpr Origin largest(Origin) { return Origin::Context; }
constexpr MapRole largest(MapRole) { return MapRole::Parts; }
constexpr ActionKind largest(ActionKind) { return static_cast<ActionKind>(std::size(kActionShapes) - 1); }
constexpr MapTake largest(MapTake) { return MapTake::More; }
constexpr RunError largest(RunError) { return RunError::LoopCut; }
constexpr MachineFact largest(MachineFact) { return MachineFact::Cgroup; }

// `visit` takes any number of members: numbers, enums, strings, types, vectors and structs of this file.
template <class Visit>
void members(Visit &visit, Span &span) {
  auto &[begin, end, expansion] = span;
  visit(begin, end, expansion);
}

template <class Visit>
void members(Visit &visit, SourceFile &file) {
  auto &[name, begin, end] = file;
  visit(name, begin, end);
}

template <class Visit>
void members(Visit &visit, Expansion &expansion) {
  auto &[macro, call] = expansion;
  visit(macro, call);
}

template <class Visit>
void members(Visit &visit, Enumerator &entry) {
  auto &[name, value] = entry;
  visit(name, value);
}

template <class Visit>
void members(Visit &visit, Field &field) {
  auto &[name, type, offset, bit_offset, bits, data_loc, rel_loc] = field;
  visit(name, type, offset, bit_offset, bits, data_loc, rel_loc);
}

template <class Visit>
void members(Visit &visit, Type &type) {
  auto &[kind, display, is_signed, is_union, is_record, is_typedef, space, origin, size, count, target, name, fields,
         enumerators, btf_id, aggregate, hist_bits, lhist_min, lhist_max, lhist_step, series, series_interval,
         series_length, stack_user, stack_mode, stack_frames] = type;
  visit(kind, display, is_signed, is_union, is_record, is_typedef, space, origin, size, count, target, name, fields,
        enumerators, btf_id, aggregate, hist_bits, lhist_min, lhist_max, lhist_step, series, series_interval,
        series_length, stack_user, stack_mode, stack_frames);
}

template <class Visit>
void members(Visit &visit, MapInfo &map) {
  auto &[name, bpf_name, role, bpf_type, max_entries, flags, key, value, value_size, per_cpu, stack_frames, span, twin,
         side_word, parts] = map;
  visit(name, bpf_name, role, bpf_type, max_entries, flags, key, value, value_size, per_cpu, stack_frames, span, twin,
        side_word, parts);
}

template <class Visit>
void members(Visit &visit, ArgSlot &slot) {
  auto &[type, offset] = slot;
  visit(type, offset);
}

template <class Visit>
void members(Visit &visit, Action &action) {
  auto &[kind, format, args, map, top, div, take, size, span] = action;
  visit(kind, format, args, map, top, div, take, size, span);
}

template <class Visit>
void members(Visit &visit, ProbeInfo &probe) {
  auto &[provider, text, program, span, source_index, needs_cookie] = probe;
  visit(provider, text, program, span, source_index, needs_cookie);
}

template <class Visit>
void members(Visit &visit, HelperSite &site) {
  auto &[span, helper] = site;
  visit(span, helper);
}

template <class Visit>
void members(Visit &visit, ConfigValues &config) {
  auto &[max_strlen, max_map_keys, max_probes, max_cat_bytes, ring_buffer_bytes, log_size, print_maps_on_exit,
         cpp_demangle, show_debug_info, unsafe, helper_errors, max_probes_set, missing_probes, str_trunc_trailer,
         stack_mode, unwind_stacks] = config;
  visit(max_strlen, max_map_keys, max_probes, max_cat_bytes, ring_buffer_bytes, log_size, print_maps_on_exit,
        cpp_demangle, show_debug_info, unsafe, helper_errors, max_probes_set, missing_probes, str_trunc_trailer,
        stack_mode, unwind_stacks);
}

template <class Visit>
void members(Visit &visit, CoreStruct &core) {
  auto &[name, paths] = core;
  visit(name, paths);
}

template <class Visit>
void members(Visit &visit, ErrorPlace &place) {
  auto &[error, span] = place;
  visit(error, span);
}

template <class Visit>
void members(Visit &visit, ScriptParam &param) {
  auto &[name, text, value, is_flag, word, fixed] = param;
  visit(name, text, value, is_flag, word, fixed);
}

template <class Visit>
void members(Visit &visit, MachineWord &fact) {
  auto &[kind, name, word, span] = fact;
  visit(kind, name, word, span);
}

template <class Visit>
void members(Visit &visit, Manifest &manifest) {
  auto &[files, expansions, script_text, config, maps, actions, probes, strings, core_structs, helper_sites,
         helper_site_word, places, state_words, params, machine, unwinds, has_c] = manifest;
  visit(files, expansions, script_text, config, maps, actions, probes, strings, core_structs, helper_sites,
        helper_site_word, places, state_words, params, machine, unwinds, has_c);
}

}  // namespace awl
