// tests/sanitized.hpp - whether the test was compiled with a sanitizer: twenty times slower,
// and after addresses or races.
// SPDX-License-Identifier: MIT
#pragma once

namespace fanfold_test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace fanfold_test
