// An executor says how it likes shards handed out.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

class my_executor {
public:
    std::size_t workers() const { return 1; }
    std::string_view name() const { return "mine"; }
#ifdef FANFOLD_PUT_RIGHT
    fanfold::claim_order order() const { return fanfold::claim_order::shared; }
#endif
    void run(const fanfold::work& job) const { inner_.run(job); }

private:
    fanfold::serial_executor inner_;
};

fanfold::job run(const fanfold::tensor& images) {
    return fanfold::infer(
        my_executor(), [](const fanfold::tensor_view& rows) { return fanfold::tensor(rows); }, images);
}
