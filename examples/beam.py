"""A beam between two magnets, shaken: from its equations to its basins, with pictures."""

import tempfile
from pathlib import Path

import numpy as np

import takens as tk
from takens import dynamics as dy
from takens import figures

FORCING = 2 * np.pi
BOX = {"x": (-2.0, 2.0), "v": (-2.0, 2.0)}


def beam(force: float) -> tk.System:
    """The double well of Moon and Holmes (1979) with a sinusoidal force."""
    return tk.system(
        {
            "name": f"Beam, f = {force:g}",
            "equations": {"x": "v", "v": "x - x**3 - delta*v + f*cos(t)"},
            "parameters": {"delta": 0.15, "f": force},
            "initial": {"x": 0.5, "v": 0.0},
            "period": FORCING,
        }
    )


def main() -> None:
    """Print what is found and draw it."""
    folder = Path(tempfile.mkdtemp(prefix="beam-"))
    strong, gentle = beam(0.3), beam(0.1)

    spectrum = dy.lyapunov_spectrum(strong, duration=10_000.0)
    for value, error in zip(spectrum.value, spectrum.details["standard_error"], strict=True):
        print(f"strongly shaken: exponent {value:+.3f} +- {error:.3f} a time unit")

    strobe = dy.stroboscopic_section(strong, FORCING, count=20_000, transient=50)
    figures.section_figure(strobe).savefig(folder / "section.png")

    diagram = dy.orbit_diagram(strong, "f", np.linspace(0.1, 0.4, 300), interval=FORCING, lyapunov=True)
    figures.orbit_diagram_figure(diagram).savefig(folder / "diagram.png")
    print(f"chaotic at {np.mean(diagram.exponents > 0.02):.0%} of the strengths from 0.1 to 0.4")

    basins = dy.basins(gentle, BOX, 80, interval=FORCING)
    figures.basins_figure(basins).savefig(folder / "basins.png")
    for label, share in basins.fractions.items():
        print(f"gently shaken: {basins.attractors[label]} attracts {share.value:.0%}")
    print(dy.uncertainty_exponent(basins))
    print(f"pictures: {folder}")


if __name__ == "__main__":
    main()
