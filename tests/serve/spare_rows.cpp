// SPDX-License-Identifier: MIT
#include <fanfold/serve/spare_rows.hpp>

#include <memory>
#include <utility>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct request {
    explicit request(tensor elements) : copy(std::move(elements)), rows(part(std::as_const(copy))) {}
    tensor copy;
    batch rows;
};

std::vector<std::shared_ptr<request>> over(std::size_t count, const shape& extents) {
    std::vector<std::shared_ptr<request>> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back(std::make_shared<request>(tensor::uninitialized(element::float32, extents)));
    return all;
}

/// How many of so many tensors lie where one of `kept` lay.
std::size_t again(detail::spare_rows& spare, const std::vector<const std::byte*>& kept, const tensor& like,
                  std::size_t count) {
    std::vector<detail::copied_rows> taken;
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        taken.push_back(spare.like(like));
        const tensor& elements = taken.back().elements;
        CHECK(elements.shape() == like.shape());
        CHECK(elements.type() == like.type());
        CHECK(taken.back().rows[0].data() == elements.data());
        for (const std::byte* at : kept) found += elements.data() == at;
    }
    return found;
}
std::vector<const std::byte*> places(const std::vector<std::shared_ptr<request>>& all) {
    std::vector<const std::byte*> at;
    for (const auto& who : all) at.push_back(std::as_const(who->copy).data());
    return at;
}

}  // namespace

TEST_CASE("Rows of requests that are over are the memory of those that look alike, and of nobody else") {
    detail::spare_rows spare;
    const auto gone = over(2, {1, 4});
    const auto kept = places(gone);
    spare.keep(gone);
    const tensor other_shape(element::float32, {2, 2}), other_type(element::int32, {1, 4});
    CHECK(again(spare, kept, other_shape, 1) == 0);
    CHECK(again(spare, kept, other_type, 1) == 0);
    CHECK(again(spare, kept, tensor(element::float32, {1, 4}), 2) == 2);
}

TEST_CASE("At most 4 MiB of rows are kept; those of another size drive them out, requests that had none do not") {
    detail::spare_rows spare;
    const auto left_of = [&](std::size_t count, const shape& extents) {
        const auto gone = over(count, extents);
        spare.keep(gone);
        std::size_t left = 0;
        for (const auto& who : gone) left += who->copy.bytes() != 0;
        return left;
    };
    CHECK(left_of(5, {1, 262'144}) == 1);  // a MiB each
    spare.keep(std::vector{std::make_shared<request>(tensor(element::float32, {0, 4}))});
    CHECK(left_of(1, {1, 262'144}) == 1);
    CHECK(left_of(3, {2, 262'144}) == 1);
}
