// The same with a view of the rows that were handed in.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

fanfold::job run(const fanfold::tensor& images) {
    const auto model = [](const fanfold::tensor_view& rows) {
#ifdef FANFOLD_PUT_RIGHT
        return fanfold::tensor(rows);
#else
        return rows;
#endif
    };
    return fanfold::infer(fanfold::serial_executor(), model, images);
}
