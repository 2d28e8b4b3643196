"""Ordinal patterns: how often each order of neighbouring values occurs, and what follows from it."""

from __future__ import annotations

from .curves import complexity_time as complexity_time
from .distance import jensen_shannon as jensen_shannon
from .forbidden import missing_patterns as missing_patterns
from .generalised import generalised_plane as generalised_plane
from .patterns import block_number as block_number
from .patterns import break_ties as break_ties
from .patterns import choose_order as choose_order
from .patterns import natural_steps as natural_steps
from .patterns import ordinal_patterns as ordinal_patterns
from .patterns import take_patterns as take_patterns
from .permutation import permutation_entropy as permutation_entropy
from .permutation import statistical_complexity as statistical_complexity
from .plane import Region as Region
from .plane import complexity_limits as complexity_limits
from .plane import confidence_region as confidence_region
from .plane import entropy_complexity as entropy_complexity
from .transitions import fisher_information as fisher_information
from .transitions import global_node_entropy as global_node_entropy
