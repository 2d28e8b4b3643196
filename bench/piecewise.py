"""Piecewise-linear networks on the published tasks, and their speed beside PyTorch: `python bench/piecewise.py`.

Each network is trained on the training file of a task and judged by the epoch on its held-out end, never on the test
file. Then it runs freely for 1.25 times the length of the test file from its beginning, of which the first fifth is
dropped, and is scored against the test file: D_stsp and D_H as the published codes bin them, the mean squared error 20
steps ahead, in units of the file, and (Lorenz-63) its largest exponent and how far its nearest fixed points lie from
those of the true system, in shares of the attractor's size. `--tasks`, `--seeds` choose; `--speed` compares epochs a
second with the same network, batches and optimiser in PyTorch, if installed, interleaved in one process.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import takens
from takens.models.piecewise import AlmostLinearRNN, PiecewiseLinearLaw, ShallowPLRNN
from takens.scores import spectral_hellinger, state_space_divergence

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
AHEAD = 20


@dataclass(frozen=True)
class Published:
    """A published task: files, model, binning of its code, its published figures (D_stsp, D_H, 20-step error)."""

    train: str
    test: str
    model: Any
    legacy: str
    figures: tuple[float, float, float]
    interval: float = 1.0
    exponent: float = float("nan")
    bins: int | None = None


ALRNN = ("lorenz63_alrnn_train", "lorenz63_alrnn_test")
GTF = ("lorenz63_noise05_train", "lorenz63_test")
NONE = float("nan")
TASKS = {
    "lorenz63_alrnn_p2": Published(
        *ALRNN, AlmostLinearRNN(latent=20, rectified=2, interval=10, epochs=1500, rate=(3e-3, 1e-5), seeds=4),
        "DynaMix",
        (3.52, 0.143, NONE),
    ),
    "lorenz63_alrnn": Published(*ALRNN, AlmostLinearRNN(), "DynaMix", (1.0, 0.10, NONE)),
    "lorenz63_noise05": Published(*GTF, ShallowPLRNN(epochs=500), "GTF", (0.6, 0.12, NONE), 0.01, 0.9056),
    "ecg5d": Published(
        "ecg5d_train", "ecg5d_test", ShallowPLRNN(hidden=250, strength=0.3, epochs=160), "GTF", (4.3, 0.34, 2.4e-3),
        bins=8,
    ),
    "eeg64": Published(
        "eeg64", "eeg64", ShallowPLRNN(latent=16, hidden=512, strength=0.1, length=50, epochs=2400), "GTF",
        (2.1, 0.11, 0.55),
    ),
}  # fmt: skip


def free_run(law: PiecewiseLinearLaw, rows: np.ndarray) -> np.ndarray:
    """A noise-free run `(time, channel)` of the length of `rows` from their beginning, after a quarter more."""
    length, memory = len(rows), law.memory
    wait = length // 4
    values = law.forecast(length + wait - memory, history=rows[:memory], members=1).samples[0]
    return np.concatenate([rows[:memory], values])[wait:]


def ahead(law: PiecewiseLinearLaw, rows: np.ndarray) -> float:
    """Mean squared error 20 steps ahead from 500 origins, in the units of the file."""
    origins = np.linspace(law.memory, len(rows) - AHEAD - 1, 500).astype(int)
    histories = np.stack([rows[o - law.memory : o] for o in origins])
    path = law.roll(law.init(histories), AHEAD, None)[:, -1]
    return float(((path - rows[origins + AHEAD - 1]) ** 2).mean())


def exponent(law: PiecewiseLinearLaw, steps: int = 20_000) -> float:
    """The largest Lyapunov exponent a step."""
    return float(takens.lyapunov_spectrum(law.system, duration=steps, transient=1000, count=1).value[0])


def fixed_point_error(law: PiecewiseLinearLaw, raw: np.ndarray) -> float:
    """Largest distance of the three fixed points of Lorenz-63 from the nearest of the law, in spreads of the attractor.

    The data are standardised channel by channel; the published moments of the Lorenz attractor say by what.
    """
    reference = takens.simulate(takens.system("Lorenz63"), length=100_000, dt=0.01, transient=50, seed=0).values
    c = np.sqrt(8 / 3 * 27)
    true = (np.array([[0, 0, 0], [c, c, 27], [-c, -c, 27]]) - reference.mean(axis=0)) / reference.std(axis=0)
    rng = np.random.default_rng(0)
    found = []
    for z in np.concatenate([true, rng.uniform(-3, 3, (2000, 3))]):
        state = z[None] * raw.std(axis=0) + raw.mean(axis=0)
        for _ in range(20):
            slopes = law.slopes(state)[0]
            step = np.linalg.solve(np.eye(3) - slopes, (law.feed(state, law.step(state)) - state)[0])
            state = state + step
            if np.abs(step).max() < 1e-10:
                found.append(state[0])
                break
    if not found:
        return float("inf")
    gaps = np.linalg.norm(np.array(found)[:, None] - true, axis=2).min(axis=0)
    return float(gaps.max() / np.linalg.norm(np.ptp(reference / reference.std(axis=0), axis=0)))


def report(name: str, task: Published, seeds: range, folder: Path | None) -> None:
    """Train and score every seed; a line each and their median."""
    train, test = (np.load(DATA / f"{file}.npy").astype(float) for file in (task.train, task.test))
    print(f"\n{name}: published or wanted D_stsp {task.figures[0]}, D_H {task.figures[1]}, error {task.figures[2]}")
    print(f"{'seed':>6s} {'D_stsp':>8s} {'D_H':>7s} {'error 20':>9s} {'exponent':>9s} {'fixed':>6s} {'cpu s':>7s} size")
    rows = []
    for seed in seeds:
        begin = time.process_time()
        law = task.model.fit(takens.Series.from_array(train, interval=task.interval), seed=seed)
        spent = time.process_time() - begin
        if folder is not None:
            law.save(folder / f"{name}-{seed}")
        run = free_run(law, test)
        row = [
            state_space_divergence(run, test, legacy=task.legacy, bins=task.bins).value,
            spectral_hellinger(run, test, legacy="GTF").value,
            ahead(law, test), NONE, NONE, spent,
        ]  # fmt: skip
        if task.exponent == task.exponent:
            row[3], row[4] = exponent(law) / task.interval, fixed_point_error(law, train)
        rows.append(row)
        print(_line(str(seed), row), law.size, f"(held-out {law.score:.3f}, gain {law.gain})", flush=True)
    print(_line("median", list(np.median(np.array(rows, dtype=float), axis=0))))


def _line(label: str, row: list[Any]) -> str:
    widths = ("8.3f", "7.3f", "9.2e", "9.3f", "6.3f", "7.1f")
    return f"{label:>6s} " + " ".join(format(value, width) for value, width in zip(row, widths, strict=True))


def speed(rounds: int) -> None:
    """Epochs a second of the almost-linear network of the first task, here and in PyTorch."""
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: no comparison of speed")
        return
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    rows = np.load(DATA / f"{ALRNN[0]}.npy").astype(float)[:20_000]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    ours, theirs = _takens_epoch(rows), _torch_epoch(rows)
    ours(2), theirs(2)
    spent: dict[str, list[float]] = {"takens": [], "torch": []}
    for _ in range(rounds):
        for label, epoch in (("takens", ours), ("torch", theirs)):
            begin = time.process_time()
            epoch(5 if label == "torch" else 50)
            spent[label].append((time.process_time() - begin) / (5 if label == "torch" else 50))
    best = {label: min(values) for label, values in spent.items()}
    print("\nAlmost-linear network, 20 units, 2 rectified, 16 sequences of 200 steps, float64, one thread")
    for label, seconds in best.items():
        print(f"{label:7s} {1e3 * seconds:8.2f} ms an update, {1 / (50 * seconds):6.2f} epochs of 50 updates a second")
    print(f"ratio {best['torch'] / best['takens']:.1f} (minima of {rounds} interleaved rounds, processor time)")


def _takens_epoch(rows: np.ndarray) -> Any:
    """A function that makes so many updates by the package's own driver."""
    from takens.models.piecewise.networks import AlmostLinear
    from takens.models.piecewise.problem import Task
    from takens.models.piecewise.teaching import Teaching
    from takens.models.training import Settings, train

    task = Task(
        AlmostLinear(20, 0, 2), rows, np.arange(len(rows) - 201), 200, 16, 3, np.empty((3, 0)),
        Teaching("sparse", 16, 0.0), 0.05, 0.0, 0.0, rows[:50], 20,
    )  # fmt: skip
    return lambda updates: train(task, Settings(1, batches=updates, judge_every=10))


def _torch_epoch(rows: np.ndarray) -> Any:
    """The same in PyTorch: the loop over time that anyone would write, with RAdam."""
    import torch

    data = torch.from_numpy(rows)
    decay, weights, bias = torch.full((20,), 0.9), 0.01 * torch.randn(20, 20), torch.zeros(20)
    start = 0.1 * torch.randn(3, 17)
    parameters = [p.requires_grad_() for p in (decay, weights, bias, start)]
    optimiser = torch.optim.RAdam(parameters, lr=1e-3)
    offsets = torch.arange(201)

    def epoch(updates: int) -> None:
        for _ in range(updates):
            batch = data[offsets[:, None] + torch.randint(len(rows) - 201, (16,))]
            forced = batch[:-1] + 0.05 * torch.randn(200, 16, 3)
            z = torch.cat([forced[0], forced[0] @ start], dim=1)
            shown = []
            for t in range(200):
                if t % 16 == 0:
                    z = torch.cat([forced[t], z[:, 3:]], dim=1)
                z = decay * z + torch.cat([z[:, :18], torch.relu(z[:, 18:])], dim=1) @ weights.T + bias
                shown.append(z[:, :3])
            loss = torch.nn.functional.mse_loss(torch.stack(shown), batch[1:])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return epoch


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--laws", type=Path, help="a folder where the laws are kept")
    parser.add_argument("--speed", action="store_true", help="only the comparison of speed")
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core if OMP_NUM_THREADS=1")
    if options.speed:
        speed(7)
        return
    for name in options.tasks.split(","):
        report(name, TASKS[name], range(options.first, options.first + options.seeds), options.laws)


if __name__ == "__main__":
    main()
