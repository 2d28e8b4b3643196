"""Work as data: a task is the name of a function and plain settings, and its result is plain data or a reason."""

from __future__ import annotations

import importlib
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import SettingError, TakensError
from .estimate import plain
from .store import task_key
from .version import __version__


@dataclass(frozen=True)
class Task:
    """One piece of work: `job` names a function as "package.module:function", which is called with `settings`.

    The settings are plain JSON data, seeds among them. `revision` counts changes of the job that change its results;
    `label` is for people and is not part of the key.
    """

    job: str
    settings: Mapping[str, Any]
    revision: int = 1
    label: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """The name of the result: a hash of job, revision and settings, so that equal work is done once."""
        return task_key({"job": self.job, "revision": self.revision, "settings": self.settings})


def perform(job: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Do the work: {"result": plain data} or {"failed": reason}, with the seconds it took and the versions used.

    No exception of the job gets through, since one failure must not end the others. `KeyboardInterrupt` does.
    """
    began = time.perf_counter()
    try:
        outcome: dict[str, Any] = {"result": plain(_function(job)(settings))}
    except TakensError as error:
        outcome = {"failed": str(error)}
    except Exception as error:
        outcome = {"failed": f"{type(error).__name__}: {error}"}
    return outcome | {"seconds": round(time.perf_counter() - began, 3), "versions": versions()}


def versions() -> dict[str, str]:
    """The versions that every result depends on."""
    import numpy
    import scipy

    return {
        "takens": __version__, "python": platform.python_version(), "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }  # fmt: skip


def _function(job: str) -> Any:
    module, _, name = job.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(f"no job {job!r}: {error}", remedy='Name it as "package.module:function".') from None
