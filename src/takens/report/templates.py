"""Where the pages of takens come from: templates with every value escaped, and our own style and script."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from . import words


def environment() -> Environment:
    """Templates with every value escaped: names of files and channels come from strangers."""
    made = Environment(
        loader=PackageLoader("takens", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    for name in ("number", "percent", "signed", "label", "measure_label"):
        made.filters[name] = getattr(words, name)
    made.filters["ended"] = lambda text: f"{text.rstrip('.')}."
    return made


@cache
def text_of(name: str) -> Markup:
    """One of our own files, put into the page as it is."""
    return Markup(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
