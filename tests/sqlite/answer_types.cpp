// SPDX-License-Identifier: MIT
#include <fanfold/sqlite/answer_types.hpp>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("Types that were written are read again; anything else is refused") {
    const std::vector<tensor_type> types{{element::float32, {10, 3}, 0, "logits"},
                                         {element::int64, {4, 10}, 1, "a name of words"},
                                         {element::boolean, {10}, 0, ""}};
    const std::string text = sqlite::text_of(types);
    CHECK(text == "float32 0 10,3 logits\nint64 1 4,10 a name of words\nbool 0 10 \n");
    const auto read = sqlite::answer_types(text, "f");
    REQUIRE(read.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(read[i].type == types[i].type);
        CHECK(read[i].shape == types[i].shape);
        CHECK(read[i].rows == types[i].rows);
        CHECK(read[i].name == types[i].name);
    }
    for (const char* wrong :
         {"float31 0 10 x\n", "float32 1 10 x\n", "float32 0 1o x\n", "float32 0 10", "? 0 1 \n", "\n"})
        CHECK(text_of([&] { (void)sqlite::answer_types(wrong, "job.db"); }).starts_with("job.db: damaged: "));
}
