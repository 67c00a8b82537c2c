// fanfold/core/function_ref.hpp - a callable borrowed for the length of a call: two pointers, no allocation.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::invocable
#include <memory>       // std::addressof
#include <type_traits>  // std::is_invocable_r_v
#include <utility>      // std::forward

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

template <class Signature>
class function_ref;

/// Refers to a callable (a function, too) that must outlive it; copying copies the reference. Empty by default: test
/// before calling.
template <class Result, class... Args>
class function_ref<Result(Args...)> {
public:
    constexpr function_ref() = default;
    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, function_ref> &&
             std::is_invocable_r_v<Result, F&, Args...>) constexpr function_ref(F&& f) noexcept
        : object_(address(f)), call_([](void* object, Args... args) -> Result {
              auto& callable = *reinterpret_cast<std::add_pointer_t<F>>(object);
              if constexpr (std::is_void_v<Result>)
                  static_cast<void>(callable(std::forward<Args>(args)...));
              else
                  return callable(std::forward<Args>(args)...);
          }) {}

    Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }
    [[nodiscard]] explicit operator bool() const noexcept { return call_ != nullptr; }

private:
    template <class F>
    static constexpr void* address(F& f) noexcept {
        if constexpr (std::is_function_v<F>)
            return reinterpret_cast<void*>(std::addressof(f));
        else
            return const_cast<void*>(static_cast<const void*>(std::addressof(f)));
    }

    void* object_ = nullptr;
    Result (*call_)(void*, Args...) = nullptr;
};

}  // namespace fanfold::inline FANFOLD_ABI
