// {fmt}'s compiled part: Debian ships it only as a shared library, and header-only use costs seconds for every file.
#include <fmt/format-inl.h>

namespace fmt::detail {
template void buffer<char>::append(const char *, const char *);
template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
template locale_ref::locale_ref(const std::locale &);
template std::locale locale_ref::get<std::locale>() const;
template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
#if FMT_VERSION < 100000
template void vformat_to(buffer<char> &, string_view, basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);
#else
template void vformat_to(buffer<char> &, string_view, vformat_args<>::type, locale_ref);
#endif
}  // namespace fmt::detail
