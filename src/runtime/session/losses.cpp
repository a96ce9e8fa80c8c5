#include "runtime/session/losses.h"

namespace awl {

Losses::Change Losses::change(const SharedState &state, uint32_t word) {
  if (word >= state.size() || word >= seen_.size()) return {};
  const uint64_t now = state.load(word);
  const Change result{now > seen_[word], now > seen_[word] && seen_[word] == 0, now - seen_[word]};
  seen_[word] = now;
  return result;
}

void Losses::tell(uint32_t word) {
  const uint64_t count = seen_[word];
  Diagnostics diagnostics;
  if (word == kStateLostStacks) {
    diagnostics.emit(diag::StacksLost, Span{}, count);
  } else if (word == kStateScratchBusy) {
    diagnostics.emit(diag::EventsSkipped, Span{}, count);
  } else if (word == kStateLostEvents) {
    diagnostics.emit(diag::EventsLost, Span{}, count)
        .with_hint("print less, or give the ring buffer more room: config = { perf_rb_pages = N }");
  } else if (word >= kStateMapErrors && word - kStateMapErrors < manifest_.maps.size()) {
    const MapInfo &map = manifest_.maps[word - kStateMapErrors];
    Diagnostic &diagnostic = diagnostics.emit(diag::MapFull, map.span, map.name, count);
    diagnostic.with_hint("config = { max_map_keys = N } gives maps more room, now " + std::to_string(map.max_entries));
  }
  for (const Diagnostic &diagnostic : diagnostics.all()) output_.message(diagnostic, source_);
  told_[word] = count;
}

void Losses::look(const SharedState &state) {
  if (const Change lost = change(state, kStateLostEvents); lost.any) output_.lost_events(lost.delta);
  for (uint32_t word = kStateLostStacks; word < seen_.size(); word++)
    if (change(state, word).first) tell(word);
}

void Losses::report_totals(const SharedState &state) {
  look(state);
  for (uint32_t word = kStateLostEvents; word < seen_.size(); word++)
    if (seen_[word] > told_[word]) tell(word);
}

}  // namespace awl
