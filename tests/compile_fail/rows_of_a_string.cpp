// A text is nothing that can be seen as rows.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

#include <string>

#ifdef FANFOLD_PUT_RIGHT
using rows_type = std::vector<float>;
#else
using rows_type = std::string;
#endif

fanfold::job run(const rows_type& rows) {
    return fanfold::infer(
        fanfold::serial_executor(), [](const fanfold::tensor_view& some) { return fanfold::tensor(some); }, rows);
}
