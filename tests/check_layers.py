#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the order of includes in include/fanfold.   usage: check_layers.py INCLUDE/FANFOLD | --self-test

- a folder includes only itself and folders to its left in LAYERS; adapters include all of those but not each other
- evaluate/ reads plain values of core/ and context/; no other folder includes it, and the umbrella no adapter
- Eigen stays in core/ and kernel/, TBB in placement/, schedule/ and serve/; costly standard headers stay out
- the umbrella has what a callable needs: no kernel, no graph
"""
import pathlib
import re
import sys
import tempfile

LAYERS = "core context kernel model partition placement schedule verify checkpoint infer serve".split()
ADAPTERS = "onnx sqlite mpi etcd".split()
UMBRELLA = "fanfold.hpp"
ONLY_IN = [  # pattern of the included file, folders that may
    (r"(Eigen|unsupported/Eigen)/", {"core", "kernel"}),
    (r"(tbb|oneapi)/", {"placement", "schedule", "serve"}),
    (r"protozero/", {"onnx"}),
    (r"nlohmann/", {"evaluate"}),
    (r"sqlite3\.h", {"sqlite"}),
    (r"(iostream|regex|functional)$", set()),
    (r"(charconv|filesystem|format|fstream|future|latch|map|random|ranges|set|sstream|unordered_map)$", {"onnx"}),
]
NOT_IN_UMBRELLA = ("kernel/", "model/graph", "model/operators/", "evaluate/table")  # what a callable does not need
INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def may_include(here, there):
    if here == there:
        return True
    if here == "evaluate":
        return there in ("core", "context")
    if there not in LAYERS:  # evaluate, another adapter, an unknown folder
        return False
    return here in ADAPTERS or (here in LAYERS and LAYERS.index(there) < LAYERS.index(here))


def violations(root):
    root = pathlib.Path(root).resolve()
    for file in sorted([*root.rglob("*.hpp"), *root.rglob("*.inc")]):
        parts = file.relative_to(root).parts
        folder = parts[0] if len(parts) > 1 else None
        if folder and folder not in LAYERS + ADAPTERS + ["evaluate"]:
            yield f"{file}: folder {folder}/ is not in the design's order"
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            where = f"{file.relative_to(root.parent)}:{number}"
            own, other = found[1], found[2]
            if own is None and not other.startswith("fanfold/"):
                for pattern, allowed in ONLY_IN:
                    if re.match(pattern, other) and folder not in allowed:
                        yield f"{where}: <{other}> outside " + (", ".join(f"{f}/" for f in sorted(allowed)) or "tests")
                continue
            target = (file.parent / own).resolve() if own else root / other[len("fanfold/"):]
            if not target.is_relative_to(root) or not target.exists():
                yield f"{where}: {own or other} does not exist in {root.name}/"
                continue
            there = target.relative_to(root).parts
            if len(there) == 1:  # config.hpp; the umbrella is for users
                if there[0] == UMBRELLA:
                    yield f"{where}: the umbrella is for users, include what is needed"
            elif folder is None:
                if there[0] in ADAPTERS or there[-1].endswith("_json.hpp"):
                    yield f"{where}: the umbrella holds no adapter ({there[0]}/{there[-1]})"
                elif "/".join(there).startswith(NOT_IN_UMBRELLA):
                    yield f"{where}: the umbrella is for callables ({'/'.join(there)})"
            elif not may_include(folder, there[0]):
                yield f"{where}: {folder}/ must not include {there[0]}/"


def self_test():
    """Each seeded fault must be found, and the clean tree must pass."""
    cases = [
        ("core/a.hpp", "#include <vector>\n", None),
        ("kernel/b.hpp", '#include "../core/a.hpp"\n#include <Eigen/Core>\n', None),
        ("core/c.hpp", '#include "../kernel/b.hpp"\n', "must not include kernel/"),
        ("infer/d.hpp", "#include <fanfold/evaluate/e.hpp>\n", "must not include evaluate/"),
        ("model/f.hpp", "#include <Eigen/Core>\n", "outside core/, kernel/"),
        ("infer/g.hpp", "# include <tbb/task_arena.h>\n", "outside placement/"),
        ("core/h.hpp", "#include <iostream>\n", "outside tests"),
        ("onnx/i.hpp", "#include <fanfold/sqlite/j.hpp>\n", "must not include sqlite/"),
        ("misc/k.hpp", "", "not in the design's order"),
        ("core/l.hpp", '#include "gone.hpp"\n', "does not exist"),
        ("fanfold.hpp", '#include "onnx/i.hpp"\n', "no adapter"),
        ("fanfold.hpp", '#include "kernel/m.hpp"\n', "for callables"),
        ("placement/n.hpp", "#include <filesystem>\n", "outside onnx/"),
    ]
    for path, text, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder) / "fanfold"
            for empty in ("core/a.hpp", "kernel/b.hpp", "evaluate/e.hpp", "sqlite/j.hpp", "onnx/i.hpp", "kernel/m.hpp"):
                (root / empty).parent.mkdir(parents=True, exist_ok=True)
                (root / empty).write_text("")
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            found = list(violations(root))
            if (expected is None and found) or (expected and (len(found) != 1 or expected not in found[0])):
                sys.exit(f"{path}: expected {expected!r}, found {found}")
    print(f"{len(cases)} seeded trees judged as expected")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif len(sys.argv) == 2 and pathlib.Path(sys.argv[1]).is_dir():
        broken = list(violations(sys.argv[1]))
        print("\n".join(broken) or "the include order holds")
        sys.exit(1 if broken else 0)
    else:
        sys.exit(__doc__)
