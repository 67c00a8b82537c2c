# SPDX-License-Identifier: MIT
"""tests/test_data.hpp for tests in Python: a missing file fails the test where FANFOLD_TESTDATA is set, else skips it."""
import os
import pathlib
import sys

SKIP_CODE = 77  # SKIP_RETURN_CODE in CMakeLists.txt
FASHION_MNIST = "/usr/share/datasets/fashion-mnist"


def find(name):
    promised = os.environ.get("FANFOLD_TESTDATA", "")
    place = pathlib.Path(promised, name)
    if (promised or place.is_absolute()) and place.exists():
        return str(place)
    if promised:
        sys.exit(f"FANFOLD_TESTDATA is set, but {place} is missing")
    print(f"skipped: {name} is missing, FANFOLD_TESTDATA is not set")
    sys.exit(SKIP_CODE)


if __name__ == "__main__":  # the tests of this file: test_data.py NAME
    print(find(sys.argv[1]))
