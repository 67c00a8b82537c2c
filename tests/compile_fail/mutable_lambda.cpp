// All workers call the model at once, so one that changes itself is no model.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

fanfold::job run(const fanfold::tensor& images) {
#ifdef FANFOLD_PUT_RIGHT
    const auto model = [](fanfold::view<const float> rows) {
        std::vector<float> kept;
#else
    const auto model = [kept = std::vector<float>()](fanfold::view<const float> rows) mutable {
#endif
        kept.resize(static_cast<std::size_t>(rows.extent(0)));
        return kept;
    };
    return fanfold::infer(fanfold::serial_executor(), model, images);
}
