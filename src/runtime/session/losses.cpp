#include "runtime/session/losses.h"

#include <linux/bpf.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"

namespace awl {

namespace {

const char *helper_name(uint32_t helper) {
  switch (helper) {
    case BPF_FUNC_map_lookup_elem: return "map_lookup_elem";
    case BPF_FUNC_probe_read: return "probe_read";
    case BPF_FUNC_probe_read_str: return "probe_read_str";
    case BPF_FUNC_probe_read_user: return "probe_read_user";
    case BPF_FUNC_probe_read_user_str: return "probe_read_user_str";
    case BPF_FUNC_probe_read_kernel: return "probe_read_kernel";
    case BPF_FUNC_probe_read_kernel_str: return "probe_read_kernel_str";
    default: return "helper";
  }
}

}  // namespace

// Behind these come words that count nothing.
uint32_t Losses::counters() const {
  return std::min(manifest_.state_words, manifest_.place_word(manifest_.places.size()));
}

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
    diagnostics.emit(diag::StacksLost, Span{}, counted(count, "stack"));
  } else if (word == kStateCutStacks) {
    diagnostics.emit(diag::StacksCut, Span{}, counted(count, "stack"))
        .with_hint(
            "code without unwind tables must have frame pointers; of files that nobody mapped before the tables come "
            "in a moment");
  } else if (word == kStateScratchBusy) {
    diagnostics.emit(diag::EventsSkipped, Span{}, counted(count, "event"));
  } else if (word == kStateLostEvents) {
    diagnostics.emit(diag::EventsLost, Span{}, counted(count, "event"))
        .with_hint("print less, or give the ring buffer more room: config = { perf_rb_pages = N }");
  } else if (word == kStateNotFollowed) {
    diagnostics.emit(diag::NotFollowed, Span{}, counted(count, "task") + (count == 1 ? " is" : " are"), kMaxFollowed)
        .with_hint("-p of fewer processes, or --cgroup, which knows no limit");
  } else if (word >= kStateMapErrors && word < manifest_.place_word(0)) {
    const MapInfo &map = manifest_.maps[(word - kStateMapErrors) / kMapErrorWords];
    const bool full = (word - kStateMapErrors) % kMapErrorWords == 0;
    Diagnostic &diagnostic = full
                                 ? diagnostics.emit(diag::MapFull, map.span, map.name, counted(count, "update"))
                                 : diagnostics.emit(diag::UpdatesRefused, map.span, map.name, counted(count, "update"));
    if (full && map.role == MapRole::Parts)
      diagnostic.with_hint("its intervals take as much memory as they may; keep fewer of them, or fewer keys");
    else if (full)
      diagnostic.with_hint("config = { max_map_keys = N } gives maps more room, now " +
                           std::to_string(map.max_entries));
  } else if (word >= manifest_.place_word(0) && word - manifest_.place_word(0) < manifest_.places.size()) {
    const ErrorPlace &place = manifest_.places[word - manifest_.place_word(0)];
    const uint64_t more = count - told_[word];
    const std::string times = more == 1 ? "once" : std::to_string(more) + " times";
    switch (place.error) {
      case RunError::DivideByZero:
        diagnostics.emit(diag::DividedByZero, place.span, times)
            .with_hint("the quotient is then 0 and the remainder the dividend; test the divisor first");
        break;
      case RunError::LoopTooLong:
        diagnostics.emit(diag::LoopTooLong, place.span, times)
            .with_hint("the kernel makes at most 8388608 turns; put a loop into a loop for more");
        break;
      case RunError::LoopCut:
        diagnostics.emit(diag::LoopCut, place.span, times).with_hint("does this become false?");
        break;
    }
  }
  for (const Diagnostic &diagnostic : diagnostics.all()) output_.message(diagnostic, source_);
  told_[word] = count;
}

void Losses::tell_helper(const SharedState &state, size_t site) {
  const auto word = manifest_.helper_site_word + kHelperSiteWords * static_cast<uint32_t>(site);
  const HelperSite &place = manifest_.helper_sites[site];
  const auto result = static_cast<int64_t>(state.load(word + 1));
  const std::string reason =
      place.helper == BPF_FUNC_map_lookup_elem ? "no such entry" : std::strerror(static_cast<int>(-result));
  Diagnostics diagnostics;
  diagnostics.emit(diag::HelperFailed, place.span, std::string(helper_name(place.helper)), counted(seen_[word], "time"),
                   reason, result);
  for (const Diagnostic &diagnostic : diagnostics.all())
    output_.helper_error(diagnostic, source_, helper_name(place.helper), result);
  told_[word] = seen_[word];
}

// A text that was never there, though it was asked for at an address.
void Losses::tell_unread_text(const SharedState &state, size_t site) {
  const auto word = manifest_.helper_site_word + kHelperSiteWords * static_cast<uint32_t>(site);
  const uint64_t failures = state.load(word);
  if (failures == 0 || state.load(word + 2) != 0) return;
  const auto result = static_cast<int64_t>(state.load(word + 1));
  Diagnostics diagnostics;
  diagnostics
      .emit(diag::TextsUnread, manifest_.helper_sites[site].span, counted(failures, "attempt"),
            std::string(std::strerror(static_cast<int>(-result))))
      .with_hint(
          "is it an address of text? a page that the process has not touched yet cannot be read: read it where the "
          "function returns, or in a later call");
  for (const Diagnostic &diagnostic : diagnostics.all()) output_.message(diagnostic, source_);
}

void Losses::look(const SharedState &state) {
  if (const Change lost = change(state, kStateLostEvents); lost.any) output_.lost_events(lost.delta);
  for (uint32_t word = kStateLostStacks; word < counters(); word++) {
    const Change now = change(state, word);
    // On a busy machine there is always a stack that ends early: how many is told at the end.
    if (word != kStateCutStacks && (now.first || (now.any && word >= manifest_.place_word(0)))) tell(word);
  }
  for (size_t site = 0; site < manifest_.helper_sites.size() && manifest_.config.helper_errors; site++)
    if (change(state, manifest_.helper_site_word + kHelperSiteWords * static_cast<uint32_t>(site)).first)
      tell_helper(state, site);
}

void Losses::report_totals(const SharedState &state) {
  look(state);
  for (uint32_t word = kStateLostEvents; word < counters(); word++)
    if (seen_[word] > told_[word]) tell(word);
  for (size_t site = 0; site < manifest_.helper_sites.size(); site++) {
    if (!manifest_.config.helper_errors) {
      tell_unread_text(state, site);
      continue;
    }
    const auto word = manifest_.helper_site_word + kHelperSiteWords * static_cast<uint32_t>(site);
    if (seen_[word] > told_[word]) tell_helper(state, site);
  }
}

}  // namespace awl
