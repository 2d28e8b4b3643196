"""Linear recurrences over a whole sequence at once, in JAX: by parallel scan and by convolution."""

from __future__ import annotations

from typing import Any

from ..training import jax_in_double


def scanned(decay: Any, drive: Any) -> Any:
    """s_t = a_t s_(t-1) + b_t from s_(-1) = 0, element by element, along axis 1 of `(batch, time, ...)`.

    Two steps in a row are one step of the same kind, (a, b) then (a', b') is (a' a, a' b + b'), and this is
    associative: a tree of depth log2(time) instead of a loop (Blelloch, CMU-CS-90-190, 1990). Work O(time).
    """
    jax = jax_in_double()

    def joined(first: Any, second: Any) -> Any:
        return second[0] * first[0], second[0] * first[1] + second[1]

    return jax.lax.associative_scan(joined, (decay, drive), axis=1)[1]


def convolved(kernel: Any, signal: Any) -> Any:
    """y_t = sum over j <= t of k_j u_(t-j) for `kernel (time, feature)` and `signal (batch, time, feature)`, by FFT."""
    jnp = jax_in_double().numpy
    length = signal.shape[1]
    size = 2 * length
    product = jnp.fft.rfft(kernel, size, axis=0) * jnp.fft.rfft(signal, size, axis=1)
    return jnp.fft.irfft(product, size, axis=1)[:, :length]
