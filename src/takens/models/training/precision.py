"""The one place that loads JAX, in double precision."""

from __future__ import annotations

from typing import Any


def jax_in_double() -> Any:
    """The module `jax`, with float64 switched on: chaos loses a decimal digit every few steps, so single is too few.

    Call it inside functions only: `import takens` never loads JAX. On a machine with a GPU, JAX uses it by itself.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax
