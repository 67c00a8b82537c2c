#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs examples/15_read_page as a user would: a page is read, bad input told in one line.   usage: check_read_page.py PROGRAM"""
import pathlib
import struct
import subprocess
import sys
import tempfile

import test_data

program = sys.argv[1]
detection = test_data.find("testsets/ppocr4_det/model.onnx")
recognition = test_data.find("testsets/ppocr4_rec/model.onnx")
seen = test_data.find("testsets/ppocr4_det/test_data_set_0/input_0.pb")
folder = tempfile.TemporaryDirectory()


def written(name, content):
    file = pathlib.Path(folder.name) / name
    file.write_bytes(content)
    return file


def npy(shape, content):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def run(*arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)


def refused(*arguments, says):
    done = run(*arguments)
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) == 1 and says in lines[0], f"{arguments}: expected {says}, got {done}"


# The detection network's input is the page, normalized; its elements stand at the end of the file.
height, width = 384, 768
elements = struct.unpack(f"<{3 * height * width}f", pathlib.Path(seen).read_bytes()[-12 * height * width:])
page = bytearray(3 * height * width)
for c, (mean, deviation) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
    channel = elements[c * height * width:(c + 1) * height * width]
    page[c::3] = bytes(max(0, min(255, round((x * deviation + mean) * 255))) for x in channel)
picture = written("page.npy", npy((height, width, 3), bytes(page)))

# Of the 6,623 keys, those of two lines of the page.
keys = ["?"] * 6623
for key, index in {"-": 28, "L": 3506, "R": 5127, "a": 4544, "b": 3463, "c": 4902, "d": 5171, "e": 3332, "f": 4389,
                   "g": 4548, "h": 3539, "i": 3538, "k": 4849, "m": 5233, "n": 4547, "o": 4245, "r": 1958, "s": 1033,
                   "t": 3333, "u": 1034}.items():
    keys[index - 1] = key
names = written("keys.txt", "\n".join(keys).encode())

done = run(detection, recognition, names, picture)
assert done.returncode == 0 and done.stderr == "", done
lines = [line.split(maxsplit=2)[2] for line in done.stdout.splitlines()]
assert lines[:2] == ["Region-based segmentation", "Let us first determine markers of the coins and the"], lines
assert len(lines) == 7, lines

refused(detection, recognition, names, written("flat.npy", npy((6,), bytes(6))), says="got uint8 [6]")
refused(detection, recognition, names, pathlib.Path(folder.name) / "no.npy", says="no.npy")
refused(detection, recognition, written("few.txt", b"a\nb\n"), picture, says="6625")
