#include "runtime/probes/provider.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "runtime/probes/attach_point.h"

namespace awl {

const UserVariable *ProbeContext::variable(std::string_view wanted) const {
  auto found = std::ranges::find(variables, wanted, &UserVariable::name);
  return found == variables.end() ? nullptr : &*found;
}

std::string ProbeTarget::text() const {
  for (const Provider *known : all_providers())
    if (known->name() == provider) return known->text(*this);
  return provider;
}

std::string Provider::text(const ProbeTarget &target) const {
  std::string out = target.provider;
  auto add = [&](std::string_view part) {
    out += ':';
    out += part;
  };
  for (const std::string *part : {&target.scope, &target.space})
    if (!part->empty()) add(quote_part(*part));
  if (target.has_address)
    add(fmt::format("0x{:x}", target.address));
  else if (!target.name.empty())
    add(quote_part(target.name));
  if (!target.pin.empty()) add(quote_part(target.pin));
  if (target.offset != 0) out += fmt::format("+{}", target.offset);
  if (target.count != 0) add(fmt::format("{}", target.count));
  return out;
}

// The name of what is at an address is no pattern, whatever it holds ("operator*").
bool ProbeTarget::wildcard() const {
  return has_wildcard(scope) || has_wildcard(space) || (!has_address && has_wildcard(name));
}

Attachment &Attachment::operator=(Attachment &&other) noexcept {
  std::swap(fds_, other.fds_);
  return *this;
}

Attachment::~Attachment() {
  for (int fd : fds_) close(fd);
}

Result<std::vector<AttachPlace>> Provider::places(const ProbeTarget &target, const ProbeEnvironment &) const {
  AttachPlace place;
  place.target = target;
  return std::vector<AttachPlace>{std::move(place)};
}

Result<std::vector<ListEntry>> Provider::list(const ProbeTarget &, bool, const ProbeEnvironment &) const {
  return std::vector<ListEntry>{{std::string(syntax()), {}}};
}

Result<Attachment> Provider::attach_many(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                         const AttachOptions &options) const {
  std::vector<int> fds;
  std::vector<Attachment> done;  // closed again if a later one fails
  for (size_t i = 0; i < places.size(); i++) {
    AttachOptions one = options;
    one.cookie = cookies[i];
    done.push_back(TRY(attach(places[i], one)));
  }
  for (Attachment &attachment : done) {
    std::vector<int> more = attachment.release();
    fds.insert(fds.end(), more.begin(), more.end());
  }
  return Attachment(std::move(fds));
}

}  // namespace awl
