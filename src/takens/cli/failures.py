"""What the command line says, and with which exit code it ends, when something goes wrong."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from ..errors import OutputError, TakensError


class Terminated(KeyboardInterrupt):
    """Another program asks to end (SIGTERM): a command cleans up as after Ctrl-C."""


class Interrupted(Exception):
    """Ctrl-C in a command that kept something: the message says what was kept and how to go on."""

    def __init__(self, message: str, cause: KeyboardInterrupt) -> None:
        super().__init__(message)
        self.code = exit_code(cause)


def exit_code(stop: BaseException) -> int:
    """The exit code that a shell gives to a program that was interrupted (130) or terminated (143)."""
    return 143 if isinstance(stop, Terminated) else 130


@contextmanager
def terminable() -> Iterator[None]:
    """Inside, SIGTERM ends a command as Ctrl-C does, so that half-written files go and what is kept is said."""

    def end(number: int, frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def answer(error: BaseException, words: Sequence[str]) -> int:
    """Say what `error` means for the person who typed `words` and return the exit code.

    A `TakensError`, a wrong option and a full disk give 2, Ctrl-C gives 130, SIGTERM 143, a closed pipe 1 without a
    word, and anything else 1 with an apology; the traceback is shown only with -v.
    """
    as_json = "--json" in words
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, BrokenPipeError):
        return _closed_pipe()
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt | Interrupted):
        click.echo(str(error) or "Interrupted; nothing was written.", err=True)
        return error.code if isinstance(error, Interrupted) else exit_code(error.__cause__ or error)
    if isinstance(error, click.ClickException):
        return _wrong_usage(error, as_json)
    if isinstance(error, OSError):
        error = _output_error(error)
    if isinstance(error, TakensError):
        return _expected(error, as_json)
    return _unexpected(error, bool({"-v", "--verbose"} & set(words)))


def _closed_pipe() -> int:
    # The reader of our output has left; a second failure when Python flushes at exit would print a traceback.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _wrong_usage(error: click.ClickException, as_json: bool) -> int:
    if as_json:
        place = getattr(getattr(error, "param", None), "opts", None)
        print(json.dumps({"error": {"cause": error.format_message(), "place": "/".join(place or []), "remedy": ""}}))
    error.show(sys.stderr)
    return 2


def _output_error(error: OSError) -> OutputError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "Free some space or choose another place with --out." if full else "Check the path and its permissions."
    return OutputError(error.strerror or str(error), place=str(error.filename or ""), remedy=remedy)


def _expected(error: TakensError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": {"cause": error.cause, "place": error.place, "remedy": error.remedy}}))
    click.echo(f"Error: {error}", err=True)
    return 2


def _unexpected(error: BaseException, verbose: bool) -> int:
    if verbose:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    hint = "" if verbose else " Run it again with -v to see where."
    click.echo(
        f"This is a bug in takens, not your mistake: {type(error).__name__}: {error}\n"
        f"  What was written before is not touched.{hint}\n"
        "  Please report it to the takens project with the command line, this message and `takens --version`.",
        err=True,
    )
    return 1
