"""A model of one's own: held to the contract of all models, then compared with the baselines."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import takens as tk
from takens.models import Law, Model, Training

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class RelaxationLaw(Law):
    """Each channel relaxes to its mean: x_(t+1) = m + a (x_t - m) + e, e drawn from the residuals."""

    mean: np.ndarray
    factor: np.ndarray
    residuals: np.ndarray

    @property
    def memory(self) -> int:
        """One row is enough."""
        return 1

    def sample(self, history, horizon, members, rng, known=None):  # type: ignore[no-untyped-def]
        """Futures `(member, horizon, channel)` after the last row of `history`."""
        state = np.repeat(history[-1:], members, axis=0)
        path = np.empty((members, horizon, history.shape[1]))
        for t in range(horizon):
            state = self.mean + self.factor * (state - self.mean)
            if rng is not None:
                state = state + self.residuals[rng.integers(len(self.residuals), size=members)]
            path[:, t] = state
        return path


@dataclass(frozen=True)
class Relaxation(Model):
    """Relaxation to the mean, fitted by least squares in each channel."""

    def learn(self, training: Training, seed: int) -> Law:
        """The law learned from gap-free arrays."""
        mean = training.stacked.mean(axis=0)
        now, after = (rows - mean for rows in training.lagged((0,)))
        now = now[:, 0]
        power = (now**2).sum(axis=0)
        factor = np.where(power > 0, (now * after).sum(axis=0) / np.where(power > 0, power, 1.0), 0.0)
        residuals = after - factor * now
        return RelaxationLaw(training.signature, *training.closing(1), mean, factor, residuals)


def main() -> None:
    """Check the model and show its skill against the best baseline on monthly sea surface temperatures."""
    print("rules held:", ", ".join(tk.checks.check_model(Relaxation())))
    study = tk.study(HERE / "elnino.csv", horizon=6, models=["seasonal_naive", "climatology", Relaxation()])
    for name, (skill, (low, high)) in study.skill.items():
        print(f"{name:<15} skill {skill:+.2f}, 90 % interval {low:+.2f} to {high:+.2f}")


if __name__ == "__main__":
    main()
