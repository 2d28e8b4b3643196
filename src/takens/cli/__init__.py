"""The command line: `takens study FILE` and its smaller sisters; every error exits with 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ..version import __version__
from .benchmarking import benchmark
from .calibrating import calibrate
from .describing import info, measure
from .dynamics import exponents, invariants
from .failures import answer, terminable
from .inspecting import inspect
from .judging import verdict
from .modelling import fit, forecast, generate, models
from .orbits import fixed_points, section
from .portraits import basins, diagram
from .studying import study
from .systems import simulate, systems


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="takens", message="%(prog)s %(version)s")
def commands() -> None:
    """From a time series to its dynamics, and back.

    \b
    Start with:  takens study FILE          characterise, compare models, forecast, write a report
            or:  takens info FILE           what is in the file and what is wrong with it
            or:  takens systems             the laws of motion that are known
    """


_COMMANDS = (
    study, info, measure, verdict, fit, forecast, generate, inspect, models, systems, simulate, exponents, fixed_points,
    section, diagram, basins, invariants, calibrate, benchmark,
)  # fmt: skip
for _command in _COMMANDS:
    commands.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 a wrong input or option, 1 a bug, 130 Ctrl-C, 143 SIGTERM."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with terminable():
            code = commands.main(args=words, prog_name="takens", standalone_mode=False, obj=("takens", *words))
        sys.stdout.flush()
    except BaseException as error:
        return answer(error, words)
    return code if isinstance(code, int) else 0
