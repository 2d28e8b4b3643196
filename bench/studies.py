"""Whole studies of real series: the choice against the best baseline, coverage, time and memory.

Run from the repository root: `python bench/studies.py [NAME ...]`. Each study runs in a process of its own, as the
command a user types, from a cold start. Files that lie beside the repository are skipped where they are absent.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def lorenz(folder: Path) -> list[str]:
    """10,000 x 3 points of Lorenz-63 at dt 0.02."""
    from scipy.integrate import solve_ivp

    def rule(_: float, x: np.ndarray) -> list[float]:
        return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]

    times = np.arange(-50, 200, 0.02)
    run = solve_ivp(rule, (-50, 200), [1.0, 1.0, 25.0], "DOP853", times, rtol=1e-9, atol=1e-9)
    path = folder / "lorenz.csv"
    rows = np.column_stack([run.t[-10_000:], run.y.T[-10_000:]])
    np.savetxt(path, rows, delimiter=",", header="t,x,y,z", comments="")
    return [str(path)]


def million(folder: Path) -> list[str]:
    """1,000,000 x 1 rows: a noisy cycle with drift, every minute."""
    rng = np.random.default_rng(0)
    n = np.arange(1_000_000)
    x = np.sin(2 * np.pi * n / 1440) + 0.3 * np.cumsum(rng.normal(size=n.size)) / 1000 + 0.2 * rng.normal(size=n.size)
    path = folder / "million.csv"
    stamps = np.datetime64("2020-01-01T00:00") + n.astype("timedelta64[m]")
    with path.open("w", encoding="utf-8") as out:
        out.write("time,load\n")
        out.writelines(f"{t},{v:.6f}\n" for t, v in zip(stamps, x, strict=True))
    return [str(path)]


def electrocardiogram(folder: Path) -> list[str]:
    """Channel 1 of the electrocardiogram, 20,000 points."""
    path = folder / "ecg.npy"
    np.save(path, np.load(SHARED / "ecg5d_train.npy")[:20_000, 0])
    return [str(path)]


SERIES = {
    "elnino": lambda _: [str(ROOT / "examples" / "elnino.csv")],
    "ETTh1": lambda _: [str(SHARED / "ETTh1.csv"), "--channels", "OT"],
    "machine_temperature": lambda _: [
        str(SHARED / "machine_temperature.csv"), "--unsorted", "sort", "--duplicates", "mean"],
    "nyc_taxi": lambda _: [str(SHARED / "nyc_taxi.csv")],
    "ecg": electrocardiogram,
    "lorenz 10,000 x 3": lorenz,
    "million": million,
}  # fmt: skip


def main(names: list[str]) -> None:
    """Print one row a series."""
    head = (
        f"{'series':20s} {'chosen':24s} {'baseline':18s} {'CRPS/baseline':>13s} {'cover90':>8s} {'s':>6s} {'MiB':>6s}"
    )
    print(head)
    for name, arguments in SERIES.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                words = arguments(Path(folder))
            except FileNotFoundError as error:
                print(f"{name:20s} skipped: {error.filename} is not beside this checkout")
                continue
            if not Path(words[0]).exists():
                print(f"{name:20s} skipped: {Path(words[0]).name} is not beside this checkout")
                continue
            out = Path(folder) / "out"
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "takens", "study", *words, "--out", str(out), "-q"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            seconds = time.perf_counter() - began
            if done.returncode:
                print(f"{name:20s} failed: {done.stderr.strip()[:200]}")
                continue
            print(f"{name:20s} {row(json.loads((out / 'report.json').read_text()))} {seconds:6.0f} {peak():6.0f}")


def row(report: dict) -> str:  # type: ignore[type-arg]
    """Chosen model, best baseline, ratio of their CRPS, coverage of the 90 % intervals."""
    scored = {c["model"]: c for c in report["models"]["candidates"] if c["status"] == "ok"}
    chosen = scored[report["models"]["chosen"]]
    baseline = min((c for c in scored.values() if c["baseline"]), key=lambda c: c["scores"]["crps"])
    ratio = chosen["scores"]["crps"] / baseline["scores"]["crps"]
    return f"{chosen['model']:24s} {baseline['model']:18s} {ratio:13.3f} {chosen['scores']['coverage']:8.3f}"


def peak() -> float:
    """Largest memory of any finished study so far, MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
