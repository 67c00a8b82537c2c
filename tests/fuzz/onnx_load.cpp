// tests/fuzz/onnx_load.cpp - any bytes as a model, loaded and, when that works,
// run once on small inputs: under libFuzzer.
//   usage   scripts/fuzz; or onnx_load FILE... to run files that were found
// What the library may do is throw; that nothing else happens, and in what time and memory,
// libFuzzer and the sanitizers see.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/proto.hpp>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace fanfold;

constexpr std::size_t bytes_per_value = std::size_t{1} << 22;

/// Two elements for every sequence that the model takes; optional tensors are there.
std::map<std::string, std::int64_t> some_elements(std::string_view bytes) {
    std::map<std::string, std::int64_t> out;
    try {
        const onnx::model_proto model = onnx::parse_model(bytes);
        if (model.graph)
            for (const onnx::value_info_proto& input : model.graph->inputs)
                if (!input.is_plain()) out.emplace(input.name, input.is_sequence ? 2 : 1);
    } catch (const std::exception&) {  // load says the same
    }
    return out;
}

/// Open extents are 1, one row; elements are small integers of either sign.
tensor some(const value_type& type) {
    std::vector<std::int64_t> extents;
    if (type.shape.ranked())
        for (const extent& one : type.shape) extents.push_back(one.known() ? one.at(1) : 1);
    const shape whole{std::span<const std::int64_t>(extents)};
    if (whole.volume() > bytes_per_value / size_of(type.type)) throw std::invalid_argument("more than a small input");
    tensor out(type.type, whole);
    std::minstd_rand random(1);
    visit_element(type.type, [&]<class T>(T) {
        for (T& one : out.as<T>().flat()) {
            const int value = static_cast<int>(random() % 7) - 2;
            if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
                one = T(static_cast<float>(value));
            else
                one = static_cast<T>(value);
        }
    });
    return out;
}

/// One field of a message, of any wire type.
struct field {
    std::uint32_t tag = 1;
    protozero::pbf_wire_type type = protozero::pbf_wire_type::varint;
    std::uint64_t number = 0;
    std::string bytes{};
};

/// Throws when these bytes are no message.
std::vector<field> fields_of(const std::string& message) {
    std::vector<field> out;
    for (protozero::pbf_reader reader(message); reader.next();) {
        field one{reader.tag(), reader.wire_type()};
        switch (one.type) {
            case protozero::pbf_wire_type::varint: one.number = reader.get_uint64(); break;
            case protozero::pbf_wire_type::fixed64: one.number = reader.get_fixed64(); break;
            case protozero::pbf_wire_type::fixed32: one.number = reader.get_fixed32(); break;
            default: one.bytes = std::string(reader.get_bytes());
        }
        out.push_back(std::move(one));
    }
    return out;
}

std::string message_of(const std::vector<field>& fields) {
    std::string out;
    protozero::pbf_writer writer(out);
    for (const field& one : fields) switch (one.type) {
            case protozero::pbf_wire_type::varint: writer.add_uint64(one.tag, one.number); break;
            case protozero::pbf_wire_type::fixed64: writer.add_fixed64(one.tag, one.number); break;
            case protozero::pbf_wire_type::fixed32:
                writer.add_fixed32(one.tag, static_cast<std::uint32_t>(one.number));
                break;
            default: writer.add_bytes(one.tag, one.bytes);
        }
    return out;
}

std::string mutated_bytes(std::string bytes) {
    const std::size_t size = bytes.size();
    bytes.resize(size + 64);
    bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
    return bytes;
}

/// Changes one field somewhere inside, so that the lengths of what encloses it stay right.
std::string mutated(const std::string& message, std::minstd_rand& random) {
    std::vector<field> fields;
    try {
        fields = fields_of(message);
    } catch (const std::exception&) {
    }
    if (fields.empty() || random() % 16 == 0) return mutated_bytes(message);
    field& one = fields[random() % fields.size()];
    switch (random() % 16) {
        case 0: fields.erase(fields.begin() + (&one - fields.data())); break;
        case 1:
            fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(random() % fields.size()), field(one));
            break;
        case 2: std::swap(one, fields[random() % fields.size()]); break;
        case 3: one.bytes = fields[random() % fields.size()].bytes; break;
        default:
            if (one.type == protozero::pbf_wire_type::length_delimited)
                one.bytes = mutated(one.bytes, random);
            else if (random() % 2 == 0)
                one.number += random() % 9 - 4;
            else
                (void)LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(&one.number), sizeof one.number,
                                       sizeof one.number);
    }
    return message_of(fields);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    std::minstd_rand random(seed + 1);
    const std::string model(reinterpret_cast<const char*>(data), size);
    const std::string changed = random() % 10 == 0 ? std::string() : mutated(model, random);
    if (changed.empty() || changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(changed.begin(), changed.end(), data);
    return changed.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::clock_t start = std::clock();
    try {
        const std::string_view bytes(reinterpret_cast<const char*>(data), size);
        const graph model = onnx::load(std::as_bytes(std::span(data, size)),
                                       {.limits = {bytes_per_value}, .dims = some_elements(bytes)});
        std::vector<tensor> inputs;
        for (const std::size_t input : model.state().inputs) inputs.push_back(some(model.state().values[input].type));
        const std::vector<tensor_view> views(inputs.begin(), inputs.end());
        workspace space;
        space.stop = stop({}, std::chrono::steady_clock::now() + std::chrono::seconds(2));
        space.tiles = tile_loop(space.stop);
        (void)model.run(views, space);
        (void)model.summary();
    } catch (const std::exception&) {
    }
    // libFuzzer's own limit counts the time that other programs take, too.
    if (std::clock() - start > 10 * CLOCKS_PER_SEC) __builtin_trap();
    return 0;
}
