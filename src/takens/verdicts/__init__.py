"""What kind of dynamics a record shows, and how sure one can be: questions, evidence, calibrated answer."""

from __future__ import annotations

from .base import Inquiry as Inquiry
from .base import Step as Step
from .classes import CLASSES as CLASSES
from .joint import joint as joint
from .procedure import verdict as verdict
from .procedure import views_of as views_of
from .result import Segment as Segment
from .result import Verdict as Verdict
from .statistics import NAMES as NAMES
from .statistics import statistics as statistics
from .steps import STEPS as STEPS
from .view import View as View
