"""Small files without a library: TensorProto in, .npy in and out, an ONNX model that does nothing."""
# SPDX-License-Identifier: MIT
import array
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
    data, at, extents, descr, raw = Path(path).read_bytes(), 0, [], None, b""
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            length, at = varint(data, at)
            value = data[at:at + length]
            at += length
        if key >> 3 == 1:
            extents += [value] if key & 7 == 0 else packed(value)
        elif key >> 3 == 2:
            descr = DESCR[value]
        elif key >> 3 == 9:
            raw = value
    return descr, extents, raw


def packed(data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


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


def message(tag, content):
    size, length = len(content), b""
    while True:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if size == 0:
            return bytes([tag << 3 | 2]) + length + content


def identity_model():
    """float32 [1] -> float32 [1]"""
    kind = message(1, b"\x08\x01" + message(2, message(1, b"\x08\x01")))
    node = message(1, b"x") + message(2, b"y") + message(4, b"Identity")
    value = [message(tag, message(1, name) + message(2, kind)) for tag, name in ((11, b"x"), (12, b"y"))]
    graph = message(1, node) + message(2, b"identity") + b"".join(value)
    return b"\x08\x08" + message(7, graph) + message(8, message(1, b"") + b"\x10\x0d")
