"""What all tests share: the published data beside the repository, and one thread a process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """The path of a file of the published data; skips the test where it is absent."""

    def find(name: str) -> Path:
        path = ROOT.parent / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"{name} is not beside this checkout")
        return path

    return find


@pytest.fixture
def examples() -> Path:
    """The folder of carried example data."""
    return ROOT / "examples"
