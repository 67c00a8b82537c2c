"""The networks that are compared: file, inputs, dimensions, batches. Files lie in the folder FANFOLD_TESTDATA names.

A file that is `filled` gets random weights in the place of those that it makes at load. An input is a TensorProto file
and its row axis, or a shape (arange(n) / n) without one; `repeat` makes an axis longer.
"""
# SPDX-License-Identifier: MIT


def own(name):
    folder = f"testsets/own_fmnist_{name}"
    return {"file": f"models/fmnist_{name}.onnx", "batches": [1, 64],
            "inputs": {"image": {"file": f"{folder}/test_data_set_2/input_0.pb", "rows": 0}}}


def light(name, input_name, filled=False):
    return {"filled": filled, "file": f"models/light/light_{name}.onnx", "batches": [1],
            "inputs": {input_name: {"shape": [1, 3, 224, 224]}}}


def silero(name, state, rate):
    folder = f"testsets/{name}"
    return {"file": f"{folder}/model.onnx", "batches": [1, 64],
            "inputs": {"input": {"file": f"{folder}/test_data_set_1/input_0.pb", "rows": 0},
                       "state": {"file": f"{folder}/test_data_set_1/input_{state}.pb", "rows": 1},
                       "sr": {"file": f"{folder}/test_data_set_1/input_{rate}.pb", "rows": None}}}


def text(name, test_set, batches, dims=None):
    folder = f"testsets/{name}"
    return {"file": f"{folder}/model.onnx", "batches": batches, "dims": dims or {},
            "inputs": {"x": {"file": f"{folder}/test_data_set_{test_set}/input_0.pb", "rows": 0}}}


def past(index):
    return {"file": f"testsets/own_kjv_lm/test_data_set_1/input_{index}.pb", "rows": 1, "repeat": {3: 64}}


MODELS = {
    "lenet5": own("lenet5"),
    "mlp": own("mlp"),
    "resnet8": own("resnet8"),
    "lstm": own("lstm"),
    "transformer": own("transformer"),
    "kjv_lm, one character after 64": {
        "file": "models/kjv_lm.onnx", "batches": [1, 64], "dims": {"T": 1, "P": 64},
        "inputs": {"ids": {"file": "testsets/own_kjv_lm/test_data_set_1/input_0.pb", "rows": 0},
                   "past_k": past(1), "past_v": past(2)}},
    "squeezenet": light("squeezenet", "data_0"),
    "resnet50": light("resnet50", "gpu_0/data_0"),
    "resnet50, weights in the file": light("resnet50", "gpu_0/data_0", filled=True),
    "vgg19": light("vgg19", "data_0"),
    "vgg19, weights in the file": light("vgg19", "data_0", filled=True),
    "ppocr4_rec": text("ppocr4_rec", 2, [1, 8], {"p2o.DynamicDimension.1": 252}),
    "ppocr4_det": text("ppocr4_det", 0, [1], {"p2o.DynamicDimension.1": 384, "p2o.DynamicDimension.2": 768}),
    "silero_v6": silero("silero_v6", 1, 2),
    "silero_16k_op15": silero("silero_16k_op15", 1, 2),
}
