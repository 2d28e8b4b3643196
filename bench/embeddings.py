"""Delay and embedding dimension beside NeuroKit: `python bench/embeddings.py`.

The first coordinate of the Lorenz system, 10,000 values, dt 0.02. Mutual information at 100 lags (the curve alone, and
the measure with its interval from 100 resamples); Kennel's and Cao's false neighbours in 1 to 10 dimensions, one thread
each (the measures of takens look for the neighbours of 5000 evenly spread points and give intervals, NeuroKit takes all
points and gives none); then the whole way from series to embedding: the seven criteria of `optimal_embedding`, and
NeuroKit's delay (mutual information) with Kennel's and Cao's dimension. Hegger and Kantz, Krakovska, MDOP, Garcia and
Almeida and PECUZAL have no counterpart in Python known to us and stand alone. Best of several runs, in turn. Beside
them the chosen delay in samples and the dimensions.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable

import numpy as np

import takens
from takens.measures.embedding import (
    delay_mutual_information,
    embedding_dimension_cao,
    embedding_dimension_hegger_kantz,
    embedding_dimension_krakovska,
    false_nearest_neighbours,
    garcia_almeida,
    mdop,
    mutual_information_curve,
    optimal_embedding,
    pecuzal,
    theiler_steps,
)

LAGS = np.arange(1, 101)
DELAY = 8


def our_curve(x: np.ndarray) -> str:
    """The first lag whose mutual information is below that of the lags beside it."""
    curve = mutual_information_curve(x, LAGS)
    return str(LAGS[1:-1][(curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])][0])


def our_dimensions(x: np.ndarray) -> str:
    """Kennel's and Cao's dimension, without a Theiler window as NeuroKit has none."""
    kennel = false_nearest_neighbours(x, delay=DELAY, theiler=0)
    return f"{kennel.value}, {embedding_dimension_cao(x, delay=DELAY, theiler=0).value}"


def their_delay(x: np.ndarray) -> str:
    """NeuroKit's delay."""
    import neurokit2

    return str(neurokit2.complexity_delay(x, delay_max=100, method="fraser1986")[0])


def their_dimensions(x: np.ndarray) -> str:
    """NeuroKit's dimensions."""
    import neurokit2

    found = [
        neurokit2.complexity_dimension(x, delay=DELAY, dimension_max=10, method=method)[0] for method in ("fnn", "afnn")
    ]
    return ", ".join(map(str, found))


def our_embedding(x: np.ndarray) -> str:
    """Delays and dimension of all criteria."""
    found = optimal_embedding(x)
    settled = int(np.isfinite(found.details["dimensions"]).sum())
    return f"delays {found.details['samples'].tolist()}, {found.value} ({settled} of 7 settle, range {found.interval})"


def their_embedding(x: np.ndarray) -> str:
    """NeuroKit's delay, and its two dimensions at that delay."""
    import neurokit2

    delay = neurokit2.complexity_delay(x, delay_max=100, method="fraser1986")[0]
    found = [
        neurokit2.complexity_dimension(x, delay=delay, dimension_max=10, method=method)[0] for method in ("fnn", "afnn")
    ]
    return f"delay {delay}, {found[0]}, {found[1]}"


def alone(x: np.ndarray) -> dict[str, Callable[[np.ndarray], str]]:
    """What has no peer, at the same delay and with a Theiler window."""
    theiler = theiler_steps(x)
    shared = {"delay": DELAY, "theiler": theiler}
    return {
        "takens: Hegger and Kantz": lambda x: str(embedding_dimension_hegger_kantz(x, **shared).value),
        "takens: Krakovska": lambda x: str(embedding_dimension_krakovska(x, **shared).value),
        "takens: MDOP": lambda x: str(mdop(x, max_delay=2 * DELAY, theiler=theiler).delays),
        "takens: Garcia and Almeida": lambda x: str(
            garcia_almeida(x, max_delay=2 * DELAY, theiler=theiler, horizon=DELAY).delays
        ),
        "takens: PECUZAL": lambda x: str(pecuzal(x, max_delay=4 * DELAY, theiler=theiler).delays),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    x = np.ascontiguousarray(takens.simulate(takens.system("Lorenz63"), length=10_000, dt=0.02, seed=0).values[:, 0])
    jobs: dict[str, Callable[[np.ndarray], str]] = {
        "takens: mutual information": our_curve,
        "takens: information with interval": lambda x: str(delay_mutual_information(x, max_lag=100).details["samples"]),
        "takens: Kennel and Cao": our_dimensions,
        "takens: one embedding": our_embedding,
        **alone(x),
    }
    if importlib.util.find_spec("neurokit2") is None:
        print("neurokit2 is not installed: left out")
    else:
        jobs |= {
            "NeuroKit: mutual information": their_delay, "NeuroKit: Kennel and Cao": their_dimensions,
            "NeuroKit: one embedding": their_embedding,
        }  # fmt: skip
    answers = {name: job(x) for name, job in jobs.items()}  # compiles, too
    best = dict.fromkeys(jobs, np.inf)
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job(x)
            best[name] = min(best[name], time.perf_counter() - start)
    print(f"{'10,000 values':34}{'ms':>10}{'ratio':>8}  answer")
    groups = {"information": "takens: mutual information", "Kennel": "takens: Kennel and Cao",
              "one": "takens: one embedding"}  # fmt: skip
    for name, seconds in best.items():
        base = next((first for word, first in groups.items() if word in name), groups["information"])
        ratio = "" if name in alone(x) else f"{seconds / best[base]:.1f}"
        print(f"{name:34}{1000 * seconds:10.2f}{ratio:>8}  {answers[name]}")


if __name__ == "__main__":
    main()
