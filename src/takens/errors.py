"""Every error a user can meet: what is wrong, where, and what to do about it."""

from __future__ import annotations


class TakensError(Exception):
    """An error with a cause, a place (file, row, channel, option) and a remedy; the command line exits with 2 on it."""

    def __init__(self, cause: str, *, place: str = "", remedy: str = "") -> None:
        self.cause, self.place, self.remedy = cause, place, remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.place}: {self.cause}" if self.place else self.cause
        return f"{head}\n  {self.remedy}" if self.remedy else head


class DataError(TakensError):
    """The data cannot be used as they are."""


class InsufficientData(DataError):
    """The data are sound but too few for what was asked."""


class SettingError(TakensError):
    """An argument or option is wrong."""


class EquationError(TakensError):
    """An equation is not one: shows the `text` with a caret under the character at `position`."""

    def __init__(
        self, cause: str, *, text: str = "", position: int | None = None, place: str = "", remedy: str = ""
    ) -> None:
        self.text, self.position = text, position
        super().__init__(cause, place=place, remedy=remedy)

    def __str__(self) -> str:
        head = f"{self.place}: {self.cause}" if self.place else self.cause
        lines = [head, *self._excerpt(), *([f"  {self.remedy}"] if self.remedy else [])]
        return "\n".join(lines)

    def _excerpt(self) -> list[str]:
        """The text around the position in one line of at most 80 characters, and a line with the caret."""
        if self.position is None:
            return []
        start = max(0, self.position - 40)
        shown = self.text[start : start + 80]
        printable = "".join(c if c.isprintable() else " " for c in shown)
        return [f"  {printable}", "  " + " " * (self.position - start) + "^"]


class SimulationError(TakensError):
    """A trajectory cannot go on from `state` at `time`: divergence, no value of the equations, too many steps."""

    def __init__(self, cause: str, *, time: float, state: tuple[float, ...], place: str = "", remedy: str = "") -> None:
        self.time, self.state = time, state
        super().__init__(cause, place=place, remedy=remedy)


class LawError(TakensError):
    """A saved law is damaged, from a newer version, or does not fit the data."""


class OutputError(TakensError):
    """A result could not be written."""
