// A span says only where answers lie: mostly in what ended with the call. No model.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

fanfold::job run(const fanfold::tensor& images) {
    const auto model = [](fanfold::view<const float> rows) {
        const std::vector<float> sums(static_cast<std::size_t>(rows.extent(0)));
#ifdef FANFOLD_PUT_RIGHT
        return sums;
#else
        return std::span<const float>(sums);
#endif
    };
    return fanfold::infer(fanfold::serial_executor(), model, images);
}
