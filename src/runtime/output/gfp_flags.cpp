#include "runtime/output/printf.h"
#include "runtime/output/value_parts.h"

namespace awl {

namespace {

// Bits 0 to 23 have kept their place since before 6.1; above them they depend on the kernel's configuration.
enum : uint64_t {
  kDma = 1 << 0,
  kHighmem = 1 << 1,
  kDma32 = 1 << 2,
  kMovable = 1 << 3,
  kReclaimable = 1 << 4,
  kHigh = 1 << 5,
  kIo = 1 << 6,
  kFs = 1 << 7,
  kZero = 1 << 8,
  kDirectReclaim = 1 << 10,
  kKswapdReclaim = 1 << 11,
  kWrite = 1 << 12,
  kNowarn = 1 << 13,
  kRetryMayfail = 1 << 14,
  kNofail = 1 << 15,
  kNoretry = 1 << 16,
  kMemalloc = 1 << 17,
  kComp = 1 << 18,
  kNomemalloc = 1 << 19,
  kHardwall = 1 << 20,
  kThisnode = 1 << 21,
  kAccount = 1 << 22,
  kZerotags = 1 << 23,

  kReclaim = kDirectReclaim | kKswapdReclaim,
  kKernel = kReclaim | kIo | kFs,
  kUser = kKernel | kHardwall,
  kHighuser = kUser | kHighmem,
  kHighuserMovable = kHighuser | kMovable,
  kTranshugeLight = (kHighuserMovable | kComp | kNomemalloc | kNowarn) & ~kReclaim,
};

struct Name {
  uint64_t bits;
  std::string_view name;
};

// In the order of the kernel's tracepoints: combinations first, each takes its bits away.
constexpr Name kNames[] = {
    {kTranshugeLight | kDirectReclaim, "GFP_TRANSHUGE"},
    {kTranshugeLight, "GFP_TRANSHUGE_LIGHT"},
    {kHighuserMovable, "GFP_HIGHUSER_MOVABLE"},
    {kHighuser, "GFP_HIGHUSER"},
    {kUser, "GFP_USER"},
    {kKernel | kAccount, "GFP_KERNEL_ACCOUNT"},
    {kKernel, "GFP_KERNEL"},
    {kReclaim | kIo, "GFP_NOFS"},
    {kHigh | kKswapdReclaim, "GFP_ATOMIC"},
    {kReclaim, "GFP_NOIO"},
    {kKswapdReclaim | kNowarn, "GFP_NOWAIT"},
    {kDma, "GFP_DMA"},
    {kHighmem, "__GFP_HIGHMEM"},
    {kDma32, "GFP_DMA32"},
    {kMovable, "__GFP_MOVABLE"},
    {kReclaimable, "__GFP_RECLAIMABLE"},
    {kHigh, "__GFP_HIGH"},
    {kIo, "__GFP_IO"},
    {kFs, "__GFP_FS"},
    {kZero, "__GFP_ZERO"},
    {kReclaim, "__GFP_RECLAIM"},
    {kDirectReclaim, "__GFP_DIRECT_RECLAIM"},
    {kKswapdReclaim, "__GFP_KSWAPD_RECLAIM"},
    {kWrite, "__GFP_WRITE"},
    {kNowarn, "__GFP_NOWARN"},
    {kRetryMayfail, "__GFP_RETRY_MAYFAIL"},
    {kNofail, "__GFP_NOFAIL"},
    {kNoretry, "__GFP_NORETRY"},
    {kMemalloc, "__GFP_MEMALLOC"},
    {kComp, "__GFP_COMP"},
    {kNomemalloc, "__GFP_NOMEMALLOC"},
    {kHardwall, "__GFP_HARDWALL"},
    {kThisnode, "__GFP_THISNODE"},
    {kAccount, "__GFP_ACCOUNT"},
    {kZerotags, "__GFP_ZEROTAGS"},
};

}  // namespace

void append_gfp_flags(std::string &out, uint64_t flags) {
  if (!flags) {
    out += "none";
    return;
  }
  std::string_view separator;
  for (const Name &name : kNames) {
    if ((flags & name.bits) != name.bits) continue;
    flags &= ~name.bits;
    out.append(separator).append(name.name);
    separator = "|";
  }
  if (!flags) return;
  out.append(separator).append("0x");
  append_hex(out, flags);
}

}  // namespace awl
