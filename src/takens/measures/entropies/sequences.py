"""How many new words a sequence of symbols holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...errors import DataError
from ...estimate import Estimate
from ...random import generator
from ..base import Channel, measure


def lempel_ziv_phrases(symbols: ArrayLike) -> int:
    """The number of phrases of the 1976 parsing of whole-number `symbols (time,)`, an unfinished last one included.

    Each phrase is the shortest word that did not occur before its last symbol (Lempel and Ziv 1976). Raises `DataError`
    for an empty sequence. Cost: O(N) by a suffix automaton, where the usual search takes O(N^2 / ln N).
    """
    sequence = np.asarray(symbols)
    if sequence.ndim != 1 or len(sequence) == 0:
        raise DataError(f"expected symbols (time,), got shape {sequence.shape}")
    from ..kernels.templates import phrases

    letters, code = np.unique(sequence, return_inverse=True)
    return int(phrases(code.astype(np.int64), len(letters)))


@measure(family="entropies", reference="Lempel and Ziv, IEEE Trans. Inf. Theory 22, 75 (1976)", minimum=50)
def lempel_ziv_complexity(channel: Channel, *, shuffles: int = 19, level: float = 0.9, seed: int = 0) -> Estimate:
    """Normalised Lempel-Ziv complexity of the series above or below its median: 0 for repetition, near 1 for chance.

    c log2(N) / N, c the phrases of the 1976 parsing. Coin tosses give slightly more than 1, falling to 1 slowly with N:
    `details["of_shuffled"]` is the ratio to the mean of shuffled sequences, and `details["p_value"]` the share
    (k + 1) / (n + 1) of shuffles with as few phrases. One sequence has one parsing: no interval is given.
    Admissible from 100 values. Long channels use a stated part. Cost: O(N shuffles).
    """
    x, stride, used = channel.portion(200_000)
    n = len(x)
    symbols = (x > np.median(x)).astype(np.int64)
    count = lempel_ziv_phrases(symbols)
    rng = generator(seed, "entropies", "shuffles")
    others = np.array([lempel_ziv_phrases(rng.permutation(symbols)) for _ in range(shuffles)])
    reason = "" if n >= 100 else f"{n} values; 100 are needed"
    return Estimate(
        "", count * float(np.log2(n)) / n, "", None, level, "phrases of the 1976 parsing, times log2(N) / N",
        {"shuffles": shuffles, "stride": stride, "used": used or "all"}, {}, not reason, reason,
        details={
            "phrases": count, "of_shuffled": count / float(others.mean()),
            "p_value": (1 + int(np.sum(others <= count))) / (1 + shuffles),
        },
    )  # fmt: skip
