#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a test of every ```cpp block of some pages.   usage: extract.py PAGE.md... OUT.cpp | --links SOURCE_DIRECTORY | --self-test

- a block becomes the body of a TEST_CASE named after page and line; compiler errors point into the page
- its #include lines go to the top of the file
- a block that begins with "// at namespace scope" stands there instead, seen by the blocks behind it (its names must
  differ from those of other pages)
--links checks relative links and that each folder of include/fanfold has its page in the index.
"""
import pathlib
import re
import sys

BLOCK = re.compile(r"^```cpp[^\n]*\n(.*?)^```$", re.M | re.S)
INCLUDE = re.compile(r"\s*#\s*include\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
AT_NAMESPACE_SCOPE = "// at namespace scope"


def translation_unit(*pages):
    """A source file of pages, each a (text, name)."""
    includes, body = [], []
    for text, name, found in ((text, name, found) for text, name in pages for found in BLOCK.finditer(text)):
        line = text[:found.start(1)].count("\n") + 1
        lines = found[1].splitlines()
        here = [f'#line {line} "{name}"']
        for one in lines:
            if INCLUDE.match(one):
                includes.append(one.strip())
            here.append("" if INCLUDE.match(one) else one)
        if lines and lines[0].startswith(AT_NAMESPACE_SCOPE):
            body += here
        elif any(not INCLUDE.match(one) and one.strip() for one in lines):
            body += [f'TEST_CASE("{name}:{line}") {{', *here, "}"]
    return "\n".join(['#include "preamble.hpp"', *dict.fromkeys(includes), *body, ""])


def broken_links(root):
    pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]
    for page in pages:
        for target in LINK.findall(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: no {target}"
    index = (root / "docs/README.md").read_text()
    for folder in sorted(p.name for p in (root / "include/fanfold").iterdir() if p.is_dir()):
        if f"({folder}.md)" not in index:
            yield f"docs/README.md: include/fanfold/{folder} has no page in the index"


def self_test():
    made = translation_unit(("a\n```cpp\n#include <x>\nint a = 1;\n```\n```sh\nno\n```\n"
                            "```cpp\n// at namespace scope\nstruct s {};\n```\n", "p.md"),
                            ("```cpp\n#include <x>\nint b;\n```\n", "q.md"))
    expected = ('#include "preamble.hpp"\n#include <x>\nTEST_CASE("p.md:3") {\n#line 3 "p.md"\n\n'
                'int a = 1;\n}\n#line 10 "p.md"\n// at namespace scope\nstruct s {};\n'
                'TEST_CASE("q.md:2") {\n#line 2 "q.md"\n\nint b;\n}\n')
    if made != expected:
        sys.exit(f"expected\n{expected}\ngot\n{made}")
    print("a page of three blocks and one more give what is expected")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif len(sys.argv) == 3 and sys.argv[1] == "--links":
        broken = list(broken_links(pathlib.Path(sys.argv[2]).resolve()))
        print("\n".join(broken) or "every link leads somewhere, every folder has a page")
        sys.exit(1 if broken else 0)
    elif len(sys.argv) >= 3:
        pages = [pathlib.Path(name) for name in sys.argv[1:-1]]
        pathlib.Path(sys.argv[-1]).write_text(translation_unit(*((page.read_text(), page.name) for page in pages)))
    else:
        sys.exit(__doc__)
