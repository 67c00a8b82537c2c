#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program in README.md is the one that examples/00_readme.cpp compiles.   usage: check_readme.py SOURCE_DIRECTORY"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
shown = re.findall(r"^```cpp\n(.*?)^```$", (root / "README.md").read_text(), re.M | re.S)
compiled = re.search(r"// README begins\n(.*?)// README ends\n", (root / "examples/00_readme.cpp").read_text(), re.S)
if not compiled or shown[:1] != [compiled[1]]:
    sys.exit("the first ```cpp block of README.md and the marked lines of examples/00_readme.cpp differ")
print(f"{compiled[1].count(chr(10))} equal lines")
