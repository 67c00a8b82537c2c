#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs examples/fashion_mnist as a user would: right answers, one digest for all, bad input told in one line.
usage: check_fashion_mnist.py PROGRAM DATA_DIRECTORY"""
import json
import pathlib
import subprocess
import sys
import tempfile

import test_data

program, data = sys.argv[1:]
images = test_data.find(f"{test_data.FASHION_MNIST}/t10k-images-idx3-ubyte.gz")
labels = test_data.find(f"{test_data.FASHION_MNIST}/t10k-labels-idx1-ubyte.gz")
mlp = f"{data}/fmnist_mlp.onnx"
folder = tempfile.TemporaryDirectory()
figures = pathlib.Path(folder.name) / "figures.json"


def run(*flags):
    return subprocess.run([program, *map(str, flags)], capture_output=True, text=True)


def measured(*flags):
    done = run("--json", figures, *flags)
    assert done.returncode == 0 and done.stderr == "", f"{flags}: {done}"
    return json.loads(figures.read_text()), done.stdout


def refused(*flags, says):
    done = run(*flags)
    lines = done.stderr.splitlines()
    assert done.returncode == 1, f"{flags}: exit code {done.returncode}"
    assert len(lines) == 1 and lines[0].startswith("fashion_mnist: "), f"{flags}: {lines}"
    assert all(word in lines[0] for word in says), f"{flags}: expected {says} in {lines[0]!r}"


# Right answers, and what a program finds in the figures.
lenet, table = measured()
keys = "rows correct failed_rows rows_per_s latency_us cpu_s wall_s utilization peak_rss_kib workers executor model digest"
for part in (lenet, lenet["one_worker"]):
    assert set(keys.split()) <= set(part), part.keys()
    assert set(part["latency_us"]) == {"p50", "p95", "p99", "max"}
    assert (part["rows"], part["correct"], part["failed_rows"]) == (10000, 9051, 0), part
    assert part["digest"] == lenet["digest"] and len(part["digest"]) == 16
assert lenet["one_worker"]["workers"] == 1 and lenet["executor"] == "tbb"
assert "9,051 of 10,000" in table and lenet["digest"] in table
assert measured("--model", mlp)[0]["correct"] == 8856

# One digest for every executor, worker count and shard size.
for flags in (["--executor", "serial"], ["--executor", "threads", "--workers", 3, "--rows-per-shard", 7],
              ["--workers", 8, "--rows-per-shard", 257], ["--workers", 1, "--rows-per-shard", 10000]):
    part = measured(*flags)[0]
    assert part["digest"] == lenet["digest"], f"{flags}: {part['digest']}, expected {lenet['digest']}"
assert measured("--workers", 8)[0]["workers"] == 8
assert measured("--limit", 100)[0]["rows"] == 100

# With a checkpoint: ended at any time by kill -9, it goes on where it was, with the same digest.
ledger = pathlib.Path(folder.name) / "job.db"
resumed = []
while True:
    going = subprocess.Popen([program, "--checkpoint", ledger, "--json", figures, "--rows-per-shard", "16"],
                             stdout=subprocess.DEVNULL)
    try:
        going.wait(0.05 + 0.02 * len(resumed))
        break
    except subprocess.TimeoutExpired:
        going.kill()
        going.wait()
        resumed.append(ledger.exists())
        assert len(resumed) < 500
assert going.returncode == 0 and resumed, (going.returncode, resumed)
part = json.loads(figures.read_text())
assert (part["digest"], part["correct"]) == (lenet["digest"], 9051), part
again = measured("--checkpoint", ledger, "--workers", 1)[0]
assert (again["resumed_rows"], again["attempts"], again["digest"]) == (10000, 0, lenet["digest"]), again
refused("--checkpoint", ledger, "--limit", 100, says=["job.db", "another job", "10000 rows"])
refused("--checkpoint", ledger, "--model", mlp, says=["job.db", "another job"])

# Bad input: one line that names it, exit code 1.
cut = pathlib.Path(folder.name) / "cut.gz"
cut.write_bytes(pathlib.Path(images).read_bytes()[:100000])
garbage = pathlib.Path(folder.name) / "garbage.onnx"
garbage.write_bytes(bytes(range(256)) * 4)
refused("--model", "gone.onnx", says=["gone.onnx"])
refused("--model", garbage, says=["garbage.onnx"])
refused("--model", folder.name, says=[folder.name])
refused("--images", cut, says=["cut.gz", "cut short"])
refused("--images", labels, says=["labels", "magic"])
refused("--labels", "gone.gz", says=["gone.gz", "No such file"])
refused("--images", images.replace("t10k", "train"), says=["10000 labels", "60000 images"])
refused("--executor", "gpu", says=["--executor", "gpu"])
refused("--executor", "serial", "--workers", 2, says=["serial", "2"])
refused("--limit", 0, says=["--limit"])
refused("--workers", 0, says=["--workers"])
refused("--rows-per-shard", -1, says=["--rows-per-shard"])
refused("--wrong", says=["--wrong"])
refused("--limit", 100, "--json", "/nowhere/figures.json", says=["/nowhere/figures.json", "No such file"])
print("as expected")
