"""The recurrences of linear recurrent networks: one step in NumPy or JAX, and whole sequences in JAX.

A backbone takes features u `(..., width)` and gives features y of the same shape; its state is a vector of `size` real
numbers, of which complex modes take two each. Between blocks all is nonlinear; here everything but the selection is
linear in the state, so that a sequence needs no loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ..base import Array
from ..training import Parameters, jax_in_double
from .hippo import bilinear, hippo, spectrum
from .rates import Stable, rate, weight_of
from .scan import convolved, scanned


@dataclass(frozen=True)
class Backbone(ABC):
    """A linear recurrence over `width` features. `order` counts states: of the block for the LRU, else of a feature.

    `reach` is the number of steps over which the initial memories spread. `ready` turns weights into what a step needs,
    once for many steps; `xp` is NumPy or `jax.numpy`.
    """

    width: int
    order: int
    reach: int
    stable: Stable

    @property
    @abstractmethod
    def size(self) -> int:
        """Real numbers in the state of one block."""

    @abstractmethod
    def initial(self, rng: np.random.Generator) -> Parameters:
        """The weights of one block before training."""

    @abstractmethod
    def ready(self, p: Parameters, xp: Any) -> Parameters:
        """Discretised coefficients from weights."""

    @abstractmethod
    def rest(self, q: Parameters, u: Any, xp: Any) -> Any:
        """The state `(batch, size)` after features that have always been `u (batch, width)`."""

    @abstractmethod
    def step(self, q: Parameters, state: Any, u: Any, xp: Any) -> tuple[Any, Any]:
        """The state `(batch, size)` after features `u (batch, width)`, and the features that it gives."""

    @abstractmethod
    def sequence(self, q: Parameters, u: Any) -> tuple[Any, Any]:
        """Features `(batch, time, width)` from `u` of that shape, and the last state; at rest before."""

    def tangent(self, q: Parameters, state: Array, u: Array, moved: Array, du: Array) -> tuple[Array, Array]:
        """What a step does to displacements `moved (batch, direction, size)`, `du (batch, direction, width)`, in NumPy.

        A step is linear in state and features together, so by default displacements take the step themselves.
        """
        new, y = self.step(q, moved.reshape(-1, self.size), du.reshape(-1, self.width), np)
        return new.reshape(moved.shape), y.reshape(du.shape)


@final
@dataclass(frozen=True)
class LRU(Backbone):
    """Linear recurrent unit: s' = lambda s + gamma B u, y = Re(C s') + d u, with `order` complex modes for the block.

    lambda = exp(-r + i phase) with r > 0 by `stable`, and gamma = sqrt(1 - |lambda|^2), which keeps the states at the
    size of the features. Sequences by parallel scan. Source: Orvieto et al., ICML 2023 (arXiv 2303.06349).
    """

    @property
    def size(self) -> int:
        return 2 * self.order

    def initial(self, rng: np.random.Generator) -> Parameters:
        # Uniform in the ring between a memory of two steps and one of `reach`, as in the paper.
        inner, outer = np.exp(-0.5), np.exp(-1 / self.reach)
        radius = np.sqrt(rng.uniform(inner**2, outer**2, self.order))
        mix = rng.normal(size=(2, self.width, self.order)) / np.sqrt(2 * self.width)
        read = rng.normal(size=(2, self.order, self.width)) / np.sqrt(self.order)
        return {
            "rate": weight_of(-np.log(radius), self.stable), "phase": rng.uniform(0, np.pi / 2, self.order),
            "mix": mix, "read": read, "direct": rng.normal(size=self.width),
        }  # fmt: skip

    def ready(self, p: Parameters, xp: Any) -> Parameters:
        decay = rate(p["rate"], self.stable, xp)
        gain = xp.sqrt(-xp.expm1(-2 * decay))
        mode = xp.exp(-decay + 1j * p["phase"])
        mix, read = (p["mix"][0] + 1j * p["mix"][1]) * gain, p["read"][0] + 1j * p["read"][1]
        return {"mode": mode, "mix": mix, "read": read, "direct": p["direct"]}

    def rest(self, q: Parameters, u: Any, xp: Any) -> Any:
        return _real(u @ q["mix"] / (1 - q["mode"]), xp)

    def step(self, q: Parameters, state: Any, u: Any, xp: Any) -> tuple[Any, Any]:
        new = q["mode"] * _complex(state) + u @ q["mix"]
        return _real(new, xp), (new @ q["read"]).real + q["direct"] * u

    def sequence(self, q: Parameters, u: Any) -> tuple[Any, Any]:
        jnp = jax_in_double().numpy
        drive = u @ q["mix"]
        drive = drive.at[:, 0].set(drive[:, 0] / (1 - q["mode"]))
        states = scanned(jnp.broadcast_to(q["mode"], drive.shape), drive)
        return (states @ q["read"]).real + q["direct"] * u, _real(states[:, -1], jnp)


@final
@dataclass(frozen=True)
class S4D(Backbone):
    """Diagonal state space: s' = lambda s + (lambda - 1)/A u for each of `order` complex modes of each feature.

    A = -r + i omega with r > 0 by `stable`, lambda = exp(A dt), dt a trained step of each feature: exact for features
    held between samples. y = 2 Re(C s') + d u. Starts from `start`: lin, inv or legs (see `hippo.spectrum`). Sequences
    by convolution. Source: Gu, Gupta, Goel & Re, NeurIPS 2022 (arXiv 2206.11893).
    """

    start: str

    @property
    def size(self) -> int:
        return 2 * self.width * self.order

    def initial(self, rng: np.random.Generator) -> Parameters:
        shape = (self.width, self.order)
        modes = np.broadcast_to(spectrum(self.start, self.order), shape)
        return {
            "rate": weight_of(-modes.real, self.stable), "turn": modes.imag.copy(), "step": _steps(self, rng),
            "read": rng.normal(size=(2, *shape)) * np.sqrt(0.5), "direct": rng.normal(size=self.width),
        }  # fmt: skip

    def ready(self, p: Parameters, xp: Any) -> Parameters:
        a = -rate(p["rate"], self.stable, xp) + 1j * p["turn"]
        exponent = a * xp.exp(p["step"])[:, None]
        mode = xp.exp(exponent)
        read = 2 * (p["read"][0] + 1j * p["read"][1])
        return {
            "exponent": exponent, "mode": mode, "drive": (mode - 1) / a, "hold": -1 / a, "read": read,
            "direct": p["direct"],
        }  # fmt: skip

    def rest(self, q: Parameters, u: Any, xp: Any) -> Any:
        return _real((u[..., None] * q["hold"]).reshape(len(u), -1), xp)

    def step(self, q: Parameters, state: Any, u: Any, xp: Any) -> tuple[Any, Any]:
        new = q["mode"] * _complex(state).reshape(-1, self.width, self.order) + q["drive"] * u[..., None]
        y = (q["read"] * new).real.sum(axis=-1) + q["direct"] * u
        return _real(new.reshape(len(new), -1), xp), y

    def sequence(self, q: Parameters, u: Any) -> tuple[Any, Any]:
        jnp = jax_in_double().numpy
        powers = jnp.exp(q["exponent"] * jnp.arange(u.shape[1])[:, None, None]) * q["drive"]
        # What deviates from the first features, on top of the rest under these.
        change, first = u - u[:, :1], self.rest(q, u[:, 0], jnp)
        steady = (q["read"] * q["hold"]).real.sum(axis=-1) * u[:, :1]
        y = convolved((q["read"] * powers).real.sum(axis=-1), change) + steady + q["direct"] * u
        # Real products: the features are real, and complex ones would cost twice as much.
        parts = (powers.real[::-1], powers.imag[::-1])
        last = [jnp.einsum("bth,thn->bhn", change, part).reshape(len(u), -1) for part in parts]
        return y, first + jnp.concatenate(last, axis=-1)


@final
@dataclass(frozen=True)
class LSSL(Backbone):
    """Linear state-space layer: the dense HiPPO-LegS matrix of each feature at a trained step, c' = T c + v u.

    T and v by the bilinear rule, stable for every step; y = C c' + d u. The matrix itself is not trained, so that the
    state stays what it is: Legendre coefficients of the past. Sequences by convolution, with the kernel by repeated
    squaring. Source: Gu et al., NeurIPS 2021 (arXiv 2110.13985), the variant with a fixed matrix.
    """

    @property
    def size(self) -> int:
        return self.width * self.order

    def initial(self, rng: np.random.Generator) -> Parameters:
        read = rng.normal(size=(self.width, self.order)) / np.sqrt(self.order)
        return {"step": _steps(self, rng), "read": read, "direct": rng.normal(size=self.width)}

    def ready(self, p: Parameters, xp: Any) -> Parameters:
        move, drive = bilinear(*hippo("legs", self.order), xp.exp(p["step"]), xp)
        return {"move": move, "drive": drive, "read": p["read"], "direct": p["direct"]}

    def rest(self, q: Parameters, u: Any, xp: Any) -> Any:
        return (u[..., None] * np.eye(1, self.order)).reshape(len(u), -1)

    def step(self, q: Parameters, state: Any, u: Any, xp: Any) -> tuple[Any, Any]:
        old = state.reshape(-1, self.width, self.order, 1)
        new = (q["move"] @ old)[..., 0] + q["drive"] * u[..., None]
        return new.reshape(len(new), -1), (q["read"] * new).sum(axis=-1) + q["direct"] * u

    def sequence(self, q: Parameters, u: Any) -> tuple[Any, Any]:
        jnp = jax_in_double().numpy
        # v, T v, T^2 v, ... : the first 2, 4, 8, ... of them give as many again.
        columns, power = q["drive"][..., None], q["move"]
        while columns.shape[-1] < u.shape[1]:
            columns, power = jnp.concatenate([columns, power @ columns], axis=-1), power @ power
        columns = columns[..., : u.shape[1]]
        # What deviates from the first features, on top of the rest under these: coefficients (u, 0, 0, ...).
        change, first = u - u[:, :1], self.rest(q, u[:, 0], jnp)
        y = convolved(jnp.einsum("hn,hnt->th", q["read"], columns), change) + (q["read"][:, 0] * u[:, :1])
        last = jnp.einsum("bth,hnt->bhn", change, columns[..., ::-1]).reshape(len(u), -1)
        return y + q["direct"] * u, first + last


@final
@dataclass(frozen=True)
class Selective(Backbone):
    """A diagonal recurrence whose step, input and read-out depend on the features: s' = exp(-r dt) s + dt B u.

    dt = softplus(W u + c) for each feature, B and C linear in u and shared by the features, y = C s' + d u; `order`
    real modes of each feature with r > 0 by `stable`, at first 1, 2, ..., order. What has dt near 0 leaves no trace.
    Sequences by parallel scan. Source: Gu & Dao, COLM 2024 (arXiv 2312.00752).
    """

    @property
    def size(self) -> int:
        return self.width * self.order

    def initial(self, rng: np.random.Generator) -> Parameters:
        speed = np.broadcast_to(np.arange(1.0, self.order + 1), (self.width, self.order))
        shape = (self.width, self.order)
        step = np.exp(_steps(self, rng))
        return {
            "rate": weight_of(speed, self.stable), "pace": rng.normal(size=(self.width, self.width)) * 0.1 / self.width,
            "step": np.log(np.expm1(step)), "mix": rng.normal(size=shape) / np.sqrt(self.width),
            "read": rng.normal(size=shape) / np.sqrt(self.width), "direct": rng.normal(size=self.width),
        }  # fmt: skip

    def ready(self, p: Parameters, xp: Any) -> Parameters:
        return p | {"rate": rate(p["rate"], self.stable, xp)}

    def _chosen(self, q: Parameters, u: Any, xp: Any) -> tuple[Any, Any, Any]:
        """Log decay and drive `(..., width, order)`, and the read-out `(..., 1, order)`, by the features."""
        dt = xp.logaddexp(0.0, u @ q["pace"] + q["step"])
        drive = (dt * u)[..., None] * (u @ q["mix"])[..., None, :]
        return -q["rate"] * dt[..., None], drive, (u @ q["read"])[..., None, :]

    def rest(self, q: Parameters, u: Any, xp: Any) -> Any:
        decay, drive, _ = self._chosen(q, u, xp)
        return (drive / -xp.expm1(decay)).reshape(len(u), -1)

    def step(self, q: Parameters, state: Any, u: Any, xp: Any) -> tuple[Any, Any]:
        decay, drive, read = self._chosen(q, u, xp)
        new = xp.exp(decay) * state.reshape(decay.shape) + drive
        return new.reshape(len(new), -1), (read * new).sum(axis=-1) + q["direct"] * u

    def tangent(self, q: Parameters, state: Array, u: Array, moved: Array, du: Array) -> tuple[Array, Array]:
        # The one recurrence that is not linear in its features: the product rule, factor by factor.
        pace, mixed, read = u @ q["pace"] + q["step"], u @ q["mix"], (u @ q["read"])[:, None, None, :]
        dt, d_dt = np.logaddexp(0.0, pace), 0.5 * (1 + np.tanh(0.5 * pace))[:, None] * (du @ q["pace"])
        decay, old = np.exp(-q["rate"] * dt[..., None]), state.reshape(-1, self.width, self.order)
        new = decay * old + (dt * u)[..., None] * mixed[:, None]
        change = decay[:, None] * moved.reshape(*du.shape, self.order)
        change += d_dt[..., None] * (u[..., None] * mixed[:, None] - q["rate"] * decay * old)[:, None]
        change += (dt[:, None] * du)[..., None] * mixed[:, None, None]
        change += (dt * u)[:, None, :, None] * (du @ q["mix"])[:, :, None]
        y = ((du @ q["read"])[:, :, None] * new[:, None] + read * change).sum(axis=-1) + q["direct"] * du
        return change.reshape(moved.shape), y

    def sequence(self, q: Parameters, u: Any) -> tuple[Any, Any]:
        jnp = jax_in_double().numpy
        decay, drive, read = self._chosen(q, u, jnp)
        drive = drive.at[:, 0].set(drive[:, 0] / -jnp.expm1(decay[:, 0]))
        states = scanned(jnp.exp(decay), drive)
        return (read * states).sum(axis=-1) + q["direct"] * u, states[:, -1].reshape(len(u), -1)


def _steps(backbone: Backbone, rng: np.random.Generator) -> Array:
    """Logarithms of steps, one a feature, evenly spread between memories of one sample and of `reach`."""
    return rng.permutation(np.linspace(-np.log(backbone.reach), 0.0, backbone.width))


def _complex(state: Any) -> Any:
    """Complex modes from a state that holds real parts, then imaginary parts."""
    half = state.shape[-1] // 2
    return state[..., :half] + 1j * state[..., half:]


def _real(modes: Any, xp: Any) -> Any:
    return xp.concatenate([modes.real, modes.imag], axis=-1)
