"""Linear recurrent networks on clean Lorenz-63 beside simple models: `python bench/recurrent.py`.

10,000 points at dt 0.02 (DOP853, tolerance 1e-10), fitted on the first 8,000. Valid prediction time (normalised error
0.4, exponent 0.9056) from 50 origins in the rest, as in `bench/lorenz.py`; state-space divergence (nats, also with the
published binning) and spectral distance of a noise-free run of 8,000 rows against the training data. Fits are timed in
processor time; `--epochs` is the length of a training. Each ratio is to NVAR's valid prediction time.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

for _name, _value in (("OMP_NUM_THREADS", "1"), ("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")):
    os.environ.setdefault(_name, _value)

import numpy as np  # noqa: E402
from lorenz import DT, ORIGINS, TRAINED, lorenz, valid_times  # noqa: E402

import takens  # noqa: E402
from takens.models import Law, Model, model  # noqa: E402
from takens.models.recurrent.law import RecurrentLaw  # noqa: E402
from takens.scores import spectral_hellinger, state_space_divergence  # noqa: E402

NETWORKS = ("lru", "s4d", "lssl", "selective")


def rows(epochs: int) -> dict[str, Model]:
    """The models by the names of their rows; NVAR first, to which the others are compared."""
    simple = {name: model(name) for name in ("nvar", "hippo_predictor", "persistence")}
    trained = {
        f"{name} {stable}": model("linear_recurrent", backbone=name, stable=stable, epochs=epochs)
        for name in NETWORKS
        for stable in (("exp", "best") if name == "lru" else ("exp",))
    }
    explicit = model("hippo_predictor", order=3, window=2.0, readout="extrapolation")
    return {**simple, "hippo, explicit weights": explicit, **trained}


def weights(law: Law) -> int:
    """Numbers that were fitted: the arrays of a network, or those of a linear read-out; none for persistence."""
    if isinstance(law, RecurrentLaw):
        return sum(array.size for array in law.weights)
    return law.readout.weights.size if hasattr(law, "readout") else 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--only", default="", help="rows whose name begins with one of these, by commas; all if empty")
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core")
    truth, first = lorenz(10_000), None
    series = takens.Series.from_array(truth[:TRAINED], interval=DT)
    print(f"valid prediction time in Lyapunov times over {ORIGINS} origins (quartiles), long runs of {TRAINED} rows")
    print(f"{'model':24s} {'median':>7s} {'25 %':>6s} {'75 %':>6s} {'ratio':>6s} {'D_stsp':>7s} {'publ.':>7s} "
          f"{'D_H':>6s} {'weights':>8s} {'fit s':>7s}")  # fmt: skip
    for name, one in rows(options.epochs).items():
        if first is not None and not name.startswith(tuple(options.only.split(","))):
            continue
        begin = time.process_time()
        law = one.fit(series, seed=0)
        spent = time.process_time() - begin
        low, middle, high = np.quantile(valid_times(law, truth, truth), [0.25, 0.5, 0.75])
        first = first or middle
        run = law.generate(TRAINED, noise=False).values
        apart = state_space_divergence(run, truth[:TRAINED]).value
        published = state_space_divergence(run, truth[:TRAINED], legacy="DynaMix").value
        spectrum = spectral_hellinger(run, truth[:TRAINED]).value
        count = weights(law)
        print(f"{name:24s} {middle:7.2f} {low:6.2f} {high:6.2f} {middle / first:6.2f} {apart:7.3f} {published:7.2f} "
              f"{spectrum:6.3f} {count:8d} {spent:7.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
