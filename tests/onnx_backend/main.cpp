// tests/onnx_backend/main.cpp - runs tests in the layout of the ONNX backend tests and says what came of each.
//   usage   onnx_backend DIR... [--only FILE] [--tsv FILE] [--rtol X] [--atol X]
// A DIR is a test (model.onnx, test_data_set_K/input_I.pb, output_I.pb) or a folder of tests.
// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/tensor_proto.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace fanfold;

struct tolerances {
    double rtol = 1e-3;
    double atol = 1e-7;
};

struct verdict {
    std::string test;
    std::string operators;
    std::string result;  // pass, fail (wrong answers), refused (not loaded), error (not run), missing
    std::string reason;
};

std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

/// `wanted`: what the model says. The suite's files hold bfloat16 as uint16, as numpy knows no such type.
tensor as_wanted(tensor stored, element wanted) {
    if (wanted != element::bfloat16 || stored.type() != element::uint16) return stored;
    return tensor(tensor_view(stored.data(), wanted, stored.shape()));
}

/// What a file holds; nothing where an optional value is absent.
struct stored_value {
    bool there = true;
    std::vector<tensor> elements;
};

/// A TensorProto, a SequenceProto of them (elem_type 1, tensor_values 3), or an OptionalProto of either (elem_type 2,
/// tensor_value 3, sequence_value 5), as `declared` says.
stored_value read_value(std::string_view bytes, bool is_sequence, bool is_optional) {
    stored_value out;
    if (!is_sequence && !is_optional) {
        out.elements.push_back(onnx::to_tensor(onnx::parse_tensor(bytes), {}));
        return out;
    }
    out.there = !is_optional;
    for (auto field = onnx::wire::read(bytes); field.next();) {
        if (field.tag() != (is_optional && is_sequence ? 5U : 3U)) {
            field.skip();
            continue;
        }
        stored_value inside = read_value(onnx::wire::bytes(field), is_sequence && is_optional, false);
        out.there = true;
        for (tensor& element : inside.elements) out.elements.push_back(std::move(element));
    }
    return out;
}
stored_value read_value(const fs::path& file, const onnx::value_info_proto& declared) {
    return read_value(read(file), declared.is_sequence, declared.is_optional);
}

/// The files NAME_0.pb, NAME_1.pb, ..; those that `declared` does not name are tensors.
std::vector<stored_value> read_values(const fs::path& data, const std::string& name,
                                      const std::vector<onnx::value_info_proto>& declared) {
    std::vector<stored_value> out;
    for (;;) {
        const fs::path file = data / (name + "_" + std::to_string(out.size()) + ".pb");
        if (!fs::exists(file)) return out;
        out.push_back(read_value(file, out.size() < declared.size() ? declared[out.size()] : onnx::value_info_proto{}));
    }
}

void collect(const onnx::graph_proto& graph, std::set<std::string>& names) {
    for (const onnx::node_proto& node : graph.nodes) {
        const bool standard = node.domain.empty() || node.domain == "ai.onnx";
        names.insert((standard ? "" : std::string(node.domain) + ".") + std::string(node.op_type));
        for (const onnx::attribute_proto& attribute : node.attributes)
            if (attribute.inner) collect(onnx::parse_graph(*attribute.inner), names);
    }
}

std::string operators_of(const std::string& bytes) {
    std::set<std::string> names;
    try {
        const onnx::model_proto model = onnx::parse_model(bytes);
        if (model.graph) collect(*model.graph, names);
    } catch (const std::exception&) {
    }
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
    return text;
}

/// Empty when `got` agrees with `expected`.
std::string difference(const tensor& got, const tensor& expected, const tolerances& allowed) {
    if (got.type() != expected.type() || !(got.shape() == expected.shape()))
        return "expected " + describe(expected) + ", got " + describe(got);
    std::size_t wrong = 0;
    std::string first;
    visit_element(got.type(), [&]<class T>(T) {
        const auto a = got.as<T>().flat();
        const auto b = expected.as<T>().flat();
        for (std::size_t i = 0; i < a.size(); ++i) {
            bool same = a[i] == b[i];
            if (!same && is_floating(got.type())) {
                const auto x = static_cast<double>(a[i]);
                const auto y = static_cast<double>(b[i]);
                same = (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= allowed.atol + allowed.rtol * std::abs(y);
            }
            if (same) continue;
            if (wrong++ == 0)
                first = "element " + std::to_string(i) + ": expected " + std::to_string(static_cast<double>(b[i])) +
                        ", got " + std::to_string(static_cast<double>(a[i]));
        }
    });
    if (wrong == 0) return {};
    return first + "; " + std::to_string(wrong) + " of " + std::to_string(got.size()) + " elements are wrong";
}

/// How many elements the sequences have that the model takes, and which optional values are there.
std::map<std::string, std::int64_t> counts(const std::vector<onnx::value_info_proto>& inputs,
                                           const std::vector<stored_value>& given) {
    std::map<std::string, std::int64_t> out;
    for (std::size_t i = 0; i < inputs.size() && i < given.size(); ++i)
        if (inputs[i].is_tensor && !inputs[i].is_plain())
            out[std::string(inputs[i].name)] = given[i].there ? static_cast<std::int64_t>(given[i].elements.size())
                                               : inputs[i].is_sequence ? -1
                                                                       : 0;
    return out;
}

verdict run_test(const fs::path& folder, const tolerances& allowed) {
    verdict out{folder.filename().string(), {}, "pass", {}};
    try {
        const std::string bytes = read(folder / "model.onnx");
        out.operators = operators_of(bytes);
        onnx::graph_proto declared;
        try {
            declared = onnx::parse_model(bytes).graph.value_or(declared);
        } catch (const std::invalid_argument&) {  // load says what is wrong
        }
        workspace space;
        std::optional<graph> loaded;
        std::map<std::string, std::int64_t> dims;
        for (int set = 0; set == 0 || fs::exists(folder / ("test_data_set_" + std::to_string(set))); ++set) {
            const fs::path data = folder / ("test_data_set_" + std::to_string(set));
            const std::string where = "set " + std::to_string(set) + ", ";
            const std::vector<stored_value> given = read_values(data, "input", declared.inputs);
            if (auto found = counts(declared.inputs, given); !loaded || found != dims) {
                dims = std::move(found);
                loaded = onnx::load(folder / "model.onnx", {.dims = dims});
            }
            if (!fs::exists(data)) continue;
            const graph& model = *loaded;
            std::vector<tensor> inputs;
            for (const stored_value& value : given)
                for (const tensor& element : value.elements) {
                    const graph_state& g = model.state();
                    const std::size_t i = inputs.size();
                    inputs.push_back(
                        as_wanted(element, i < g.inputs.size() ? g.values[g.inputs[i]].type.type : element::float32));
                }
            std::vector<tensor> expected;
            for (stored_value& value : read_values(data, "output", declared.outputs))
                for (tensor& element : value.elements) expected.push_back(std::move(element));
            const std::vector<tensor_view> views(inputs.begin(), inputs.end());
            const std::vector<tensor> answers = model.run(views, space);
            if (expected.size() != answers.size())
                throw std::runtime_error(where + std::to_string(answers.size()) + " answers, " +
                                         std::to_string(expected.size()) + " in the files");
            for (std::size_t i = 0; i < answers.size(); ++i) {
                const std::string wrong = difference(answers[i], as_wanted(expected[i], answers[i].type()), allowed);
                if (wrong.empty()) continue;
                out.result = "fail";
                out.reason = where + "output " + std::to_string(i) + ": " + wrong;
                return out;
            }
        }
    } catch (const onnx::load_error& error) {
        out.result = "refused";
        out.reason = error.what();
    } catch (const std::exception& error) {
        out.result = "error";
        out.reason = error.what();
    }
    std::replace_if(
        out.reason.begin(), out.reason.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return out;
}

std::vector<fs::path> tests_in(const std::vector<std::string>& folders) {
    std::vector<fs::path> tests;
    for (const std::string& folder : folders) {
        if (fs::exists(fs::path(folder) / "model.onnx")) {
            tests.push_back(fs::path(folder).lexically_normal());
            continue;
        }
        std::vector<fs::path> inside;
        for (const auto& entry : fs::directory_iterator(folder))
            if (fs::exists(entry.path() / "model.onnx")) inside.push_back(entry.path());
        std::sort(inside.begin(), inside.end());
        tests.insert(tests.end(), inside.begin(), inside.end());
    }
    return tests;
}

void print_table(const std::vector<verdict>& verdicts) {
    std::map<std::string, std::pair<int, int>> by_operator;  // passed, all
    std::map<std::string, int> by_result;
    for (const verdict& v : verdicts) {
        ++by_result[v.result];
        for (std::size_t first = 0; first < v.operators.size();) {
            const std::size_t end = std::min(v.operators.find(',', first), v.operators.size());
            auto& [passed, all] = by_operator[v.operators.substr(first, end - first)];
            passed += v.result == "pass";
            ++all;
            first = end + 1;
        }
    }
    for (const auto& [name, counts] : by_operator)
        std::cout << (counts.first == counts.second ? "  " : "! ") << name
                  << std::string(name.size() < 34 ? 34 - name.size() : 1, ' ') << counts.first << " of "
                  << counts.second << "\n";
    for (const verdict& v : verdicts)
        if (v.result != "pass") std::cout << v.result << " " << v.test << ": " << v.reason << "\n";
    for (const auto& [result, count] : by_result) std::cout << result << ": " << count << "\n";
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> folders;
    std::string tsv;
    std::string only;
    tolerances allowed;
    CLI::App app{"Runs tests in the layout of the ONNX backend tests"};
    app.add_option("DIR", folders, "tests, or folders of tests")->required()->check(CLI::ExistingDirectory);
    app.add_option("--only", only, "a file with names of tests, one a line; others are left out")
        ->check(CLI::ExistingFile);
    app.add_option("--tsv", tsv, "write test, operators, result, reason to this file");
    app.add_option("--rtol", allowed.rtol, "relative tolerance");
    app.add_option("--atol", allowed.atol, "absolute tolerance");
    CLI11_PARSE(app, argc, argv);

    std::set<std::string> wanted;
    if (!only.empty()) {
        std::ifstream names(only);
        for (std::string name; std::getline(names, name);) wanted.insert(name);
    }
    std::vector<verdict> verdicts;
    for (const fs::path& test : tests_in(folders))
        if (only.empty() || wanted.erase(test.filename().string()) != 0) verdicts.push_back(run_test(test, allowed));
    for (const std::string& name : wanted) verdicts.push_back({name, {}, "missing", "no such test in the folders"});
    if (!tsv.empty()) {
        std::ofstream out(tsv);
        for (const verdict& v : verdicts)
            out << v.test << '\t' << v.operators << '\t' << v.result << '\t' << v.reason << '\n';
    }
    print_table(verdicts);
    const bool all = std::all_of(verdicts.begin(), verdicts.end(), [](const verdict& v) { return v.result == "pass"; });
    return all && !verdicts.empty() ? 0 : 1;
}
