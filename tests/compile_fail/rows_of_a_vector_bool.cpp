// A std::vector<bool> holds bits, which no view can point to.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

#include <array>

#ifdef FANFOLD_PUT_RIGHT
using rows_type = std::array<bool, 4>;
#else
using rows_type = std::vector<bool>;
#endif

fanfold::job run(const rows_type& rows) {
    return fanfold::infer(
        fanfold::serial_executor(), [](const fanfold::tensor_view& some) { return fanfold::tensor(some); }, rows);
}
