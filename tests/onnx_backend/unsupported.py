#!/usr/bin/env python3
"""Writes UNSUPPORTED.md from what onnx_backend --tsv says.   usage: unsupported.py ALL.tsv > UNSUPPORTED.md"""
import collections
import re
import sys

WHY = [
    ("preview.training", "training"),
    ("Bernoulli|Random|Multinomial", "random numbers: not the same bits twice"),
    ("TfIdfVectorizer|StringNormalizer", "text"),
]


def feature(result, reason):
    """What a test needs that is not there, and why it is not."""
    if result == "missing":
        return "-", reason
    # The innermost node: a refusal inside a branch names both.
    unknown = re.search(r"expected a supported operator .*, got '([^']+)'(?: of the domain '([^']+)')?$", reason)
    if unknown:
        name = unknown[1] + (f" ({unknown[2]})" if unknown[2] else "")
        return f"`{name}`", next((why for names, why in WHY if re.search(names, name)), "not supported yet")
    text = re.sub(r"^\S*model\.onnx: ", "", reason)
    if "got string" in text or "a cast of strings" in text:
        return "strings", "element types are numbers and bool"
    node = re.match(r"node (?:'[^']*'|\d+) \((\w+), opset \d+\): (.*)$", text)
    if node:
        return f"`{node[1]}`", re.sub(r", got .*", "", node[2])
    return "the test itself" if result != "refused" else "-", re.sub(r"^set \d+, ", "", text)


def main():
    rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1], encoding="utf-8")]
    found = collections.defaultdict(list)
    for test, _, result, reason in rows:
        if result != "pass":
            found[feature(result, reason)].append(test)
    passed = sum(row[2] == "pass" for row in rows)
    print("# Tests of the ONNX project that do not pass\n")
    print(f"{passed} of {len(rows)} pass ({{node,simple,pytorch-converted,pytorch-operator}} of ONNX 1.12); the others need:\n")
    print("| operator or feature | tests | reason |\n|---|---|---|")
    for (what, why), tests in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        some = ", ".join(f"`{test}`" for test in sorted(tests)[:3]) + (", .." if len(tests) > 3 else "")
        why = why.replace("|", "\\|")
        print(f"| {what} | {len(tests)}: {some} | {why} |")
    print("\nWritten by `unsupported.py`, see [README.md](README.md).")


main()
