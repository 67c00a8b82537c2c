// tests/text.hpp - the text of the exception that a call throws; empty when it throws none.
// SPDX-License-Identifier: MIT
#pragma once
#include <exception>
#include <string>

template <class F>
std::string text_of(F&& call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}
