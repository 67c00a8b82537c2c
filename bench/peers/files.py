"""Small files without a library: TensorProto in, .npy in and out, an ONNX model that does nothing."""
# SPDX-License-Identifier: MIT
import array
import math
import random
import struct
from pathlib import Path

DESCR = {1: "<f4", 2: "|u1", 6: "<i4", 7: "<i8", 9: "|b1", 11: "<f8"}
SIZES = {"<f4": 4, "|u1": 1, "<i4": 4, "<i8": 8, "|b1": 1, "<f8": 8}
CODES = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|u1": "B", "|b1": "B"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def read_tensor_proto(path):
    """(descr, extents, bytes) of a file with raw_data."""
    extents, descr, raw = [], None, b""
    for number_of, kind, value in fields(Path(path).read_bytes()):
        if number_of == 1:
            extents += [value] if kind == 0 else packed(value)
        elif number_of == 2:
            descr = DESCR[value]
        elif number_of == 9:
            raw = value
    return descr, extents, raw


def packed(data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def fields(data):
    """(number, wire type, value) of each field of a message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            length, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value = data[at:at + length]
            at += length
        yield key >> 3, kind, value


def number(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(key, kind, value):
    head = number(key << 3 | kind)
    if kind == 0:
        return head + number(value)
    return head + (number(len(value)) if kind == 2 else b"") + bytes(value)


def message(key, content):
    return field(key, 2, content)


def weights(name, extents, noise):
    """An initializer: noise / sqrt(n / 2) for n inputs of an output; where there is one extent alone, between 0.5 and 1.5."""
    count = math.prod(extents)
    scale = math.sqrt(2 * extents[0] / count)
    some = array.array("f", (x * scale for x in noise) if len(extents) > 1 else (0.5 + abs(x) % 1 for x in noise)).tobytes()
    return (b"".join(field(1, 0, extent) for extent in extents) + field(2, 0, 1) + message(8, name)
            + message(9, (some * (count * 4 // len(some) + 1))[:count * 4]))


def with_weights(model):
    """A light model, whose weights ConstantOfShape makes at load, with random ones in the file instead."""
    draw = random.Random(1)
    noise = [draw.gauss(0, 1) for _ in range(1 << 18)]
    out = []
    for key, kind, value in fields(model):
        if key == 7:
            stored = {}
            for part, _, body in fields(value):
                if part == 5:
                    tensor = {tag: content for tag, _, content in fields(body)}
                    stored[tensor[8]] = tensor
            parts = []
            for part, part_kind, body in fields(value):
                node = list(fields(body)) if part == 1 else []
                if (4, 2, b"ConstantOfShape") in node:
                    shape = stored[next(content for tag, _, content in node if tag == 1)]
                    extents = (list(struct.unpack(f"<{len(shape[9]) // 8}q", shape[9])) if 9 in shape
                               else packed(shape[7]))
                    name = next(content for tag, _, content in node if tag == 2)
                    parts.append(message(5, weights(name, extents, noise)))
                else:
                    parts.append(field(part, part_kind, body))
            value = b"".join(parts)
        out.append(field(key, kind, value))
    return b"".join(out)


def repeated(tensor, axis, count):
    """The same with `count` elements along an axis: those that are there, again and again."""
    descr, extents, raw = tensor
    inner = SIZES[descr]
    for extent in extents[axis + 1:]:
        inner *= extent
    there = extents[axis]
    out = bytearray()
    for block in range(0, len(raw), inner * there):
        for index in range(count):
            first = block + index % there * inner
            out += raw[first:first + inner]
    return descr, extents[:axis] + [count] + extents[axis + 1:], bytes(out)


def ramp(extents):
    """arange(n) / n"""
    count = 1
    for extent in extents:
        count *= extent
    return "<f4", extents, array.array("f", (i / count for i in range(count))).tobytes()


def write_npy(path, tensor):
    descr, extents, raw = tensor
    shape = ", ".join(map(str, extents)) + ("," if len(extents) == 1 else "")
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + raw)


def read_npy(path):
    data = Path(path).read_bytes()
    end = 10 + struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:end], {"__builtins__": {}})  # a dict display of our own making
    return header["descr"], list(header["shape"]), data[end:]


def differences(a, b):
    """Largest absolute and relative difference of two .npy files; None when they are of different kinds."""
    (descr, shape, x), (other_descr, other_shape, y) = read_npy(a), read_npy(b)
    if (descr, shape) != (other_descr, other_shape):
        return None
    x, y = array.array(CODES[descr], x), array.array(CODES[descr], y)
    absolute = relative = 0.0
    for p, q in zip(x, y):
        if p != q:
            d = abs(p - q)
            absolute = max(absolute, d)
            relative = max(relative, d / max(abs(q), 1e-6))
    return absolute, relative


def identity_model():
    """float32 [1] -> float32 [1]"""
    kind = message(1, b"\x08\x01" + message(2, message(1, b"\x08\x01")))
    node = message(1, b"x") + message(2, b"y") + message(4, b"Identity")
    value = [message(tag, message(1, name) + message(2, kind)) for tag, name in ((11, b"x"), (12, b"y"))]
    graph = message(1, node) + message(2, b"identity") + b"".join(value)
    return b"\x08\x08" + message(7, graph) + message(8, message(1, b"") + b"\x10\x0d")
