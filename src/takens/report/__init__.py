"""The report of a study: one HTML file for people, one JSON document for programs, and the folder that holds them."""

from __future__ import annotations

from .document import report_json
from .folder import write_study
from .page import render

__all__ = ["render", "report_json", "write_study"]
