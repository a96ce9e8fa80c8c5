// What the programs had to drop: told as it happens and in all at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/image/manifest.h"
#include "runtime/output/output.h"
#include "runtime/session/shared_state.h"

namespace awl {

class Losses {
 public:
  Losses(const Manifest &manifest, const Source &source, Output &output)
      : manifest_(manifest),
        source_(source),
        output_(output),
        seen_(manifest.state_words),
        told_(manifest.state_words) {}

  // Tells of lost events and of errors at a place each time there are more; of a full map, lost stacks and helpers that
  // failed (-k) when it happens first.
  void look(const SharedState &state);
  // At the end: the totals of everything that went on after it was told.
  void report_totals(const SharedState &state);

 private:
  [[nodiscard]] uint32_t counters() const;
  struct Change {
    bool any = false;    // there are more than at the last look
    bool first = false;  // there were none before
    uint64_t delta = 0;
  };
  Change change(const SharedState &state, uint32_t word);
  void tell(uint32_t word);
  void tell_helper(const SharedState &state, size_t site);
  void tell_unread_text(const SharedState &state, size_t site);

  const Manifest &manifest_;
  const Source &source_;
  Output &output_;
  std::vector<uint64_t> seen_;  // by StateWord: what the last look found
  std::vector<uint64_t> told_;  // what the user knows of
};

}  // namespace awl
