"""Recurrence plots: quantification without the matrix, cross and joint plots, windows, networks and visibility."""

from .networks import RecurrenceNetwork as RecurrenceNetwork
from .networks import recurrence_matrix as recurrence_matrix
from .networks import recurrence_network as recurrence_network
from .networks import visibility_degrees as visibility_degrees
from .pairs import cross_recurrence as cross_recurrence
from .pairs import joint_recurrence as joint_recurrence
from .quantification import RecurrenceQuantification as RecurrenceQuantification
from .quantification import cross_recurrence_quantification as cross_recurrence_quantification
from .quantification import joint_recurrence_quantification as joint_recurrence_quantification
from .quantification import recurrence_quantification as recurrence_quantification
from .registered import recurrence_determinism as recurrence_determinism
from .registered import recurrence_entropy as recurrence_entropy
from .registered import recurrence_laminarity as recurrence_laminarity
from .registered import recurrence_time as recurrence_time
from .registered import recurrence_transitivity as recurrence_transitivity
from .registered import visibility_entropy as visibility_entropy
from .threshold import Threshold as Threshold
from .windows import WindowedRecurrence as WindowedRecurrence
from .windows import windowed_recurrence as windowed_recurrence
