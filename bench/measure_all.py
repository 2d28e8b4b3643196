"""The whole of `takens measure`: what compiling costs, with and without the disk cache: `python bench/measure_all.py`.

A fresh process measures one channel of 1000 values and relates two, twice. The first pass less the second is what
starting costs: imports, compilation or the reading of compiled code. It is done with an empty cache folder, and again
with the one that the first process has filled. The slowest measures of the second pass are listed, and those whose
first call is still slow with the cache.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile

CHILD = """
import json, time
begin = time.perf_counter()
import numpy as np
import takens
from takens.measures import REGISTRY, RELATIONS
loaded = time.perf_counter() - begin
rng = np.random.default_rng(0)
t = np.arange({rows})
x = np.sin(2 * np.pi * t / 25)[:, None] * [1.0, 0.8] + 0.3 * rng.normal(size=({rows}, 2))
passes = []
for _ in range(2):
    seconds = {{}}
    for name, one in (*REGISTRY.items(), *RELATIONS.items()):
        start = time.perf_counter()
        one(x if name in RELATIONS else x[:, 0])
        seconds[name] = time.perf_counter() - start
    passes.append(seconds)
print(json.dumps([loaded, *passes]))
"""


def child(cache: str, rows: int) -> tuple[float, dict[str, float], dict[str, float]]:
    """Seconds of importing, and of each measure in the first and the second pass of a fresh process."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(rows=rows)], env=environment, capture_output=True, text=True, check=True
    )
    loaded, first, second = json.loads(done.stdout.splitlines()[-1])
    return loaded, first, second


def table(title: str, seconds: dict[str, float], most: int) -> None:
    """The `most` slowest entries."""
    print(f"\n{title}")
    for name, value in sorted(seconds.items(), key=lambda item: -item[1])[:most]:
        print(f"  {name:<40} {value:7.2f} s")


def main() -> None:
    """Print both starts and the slowest measures."""
    rows = 1000
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {rows} values")
    with tempfile.TemporaryDirectory() as cache:
        results = {"empty cache": child(cache, rows), "cache filled": child(cache, rows)}
    print(f"\n{'':<16} {'import':>8} {'1st pass':>9} {'2nd pass':>9} {'starting':>9}")
    for name, (loaded, first, second) in results.items():
        a, b = sum(first.values()), sum(second.values())
        print(f"{name:<16} {loaded:7.2f}s {a:8.2f}s {b:8.2f}s {loaded + a - b:8.2f}s")
    _, first, second = results["cache filled"]
    print(f"\n{len(second)} measures and relations")
    table("slowest measures, compiled code in memory", second, 10)
    table("slowest starts with the cache (first call less second)", {n: first[n] - second[n] for n in first}, 10)


if __name__ == "__main__":
    main()
