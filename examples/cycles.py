"""All unstable cycles of the Henon map, with proof, and what their number says about its chaos."""

import numpy as np

import takens as tk
from takens import dynamics as dy

LONGEST = 8


def main() -> None:
    """Count cycles by period; the number of points that return grows with the topological entropy."""
    henon = tk.system("Henon")
    found = [dy.cycles(henon, period) for period in range(1, LONGEST + 1)]
    for period, cycles in enumerate(found, 1):
        returning = sum(p * len(found[p - 1]) for p in range(1, period + 1) if period % p == 0)
        proof = "no others" if cycles.complete else "perhaps others"
        print(f"period {period}: {len(cycles)} cycles ({proof}); {returning} points return, "
              f"log({returning})/{period} = {np.log(returning) / period:.3f}")  # fmt: skip
    print("topological entropy, estimated from longer ones (Galias 2001): 0.465")
    print(f"largest Lyapunov exponent, which is not above it: {dy.largest_lyapunov_exponent(henon).value:.3f}")


if __name__ == "__main__":
    main()
