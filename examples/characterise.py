"""What a file holds, three measures of it, and the verdict: sunspots, 1700 to 2008."""

from pathlib import Path

import takens as tk

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Print what was understood of the file, the measures and the verdict."""
    series = tk.open(HERE / "sunspots.csv")
    print("\n".join(series.reading.lines()))
    wanted = ["dominant_periods", "permutation_entropy", "integral_time_scale"]
    for estimate in tk.measure(series, only=wanted).values():
        print(estimate)
    print(tk.verdict(series).sentence)


if __name__ == "__main__":
    main()
