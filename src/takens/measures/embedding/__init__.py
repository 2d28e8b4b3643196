"""State-space reconstruction: which delays, of which channels, and how many of them unfold the dynamics."""

from .delays import delay_mutual_information as delay_mutual_information
from .delays import delay_steps as delay_steps
from .delays import first_minimum as first_minimum
from .delays import mean_period_steps as mean_period_steps
from .delays import mutual_information as mutual_information
from .delays import mutual_information_curve as mutual_information_curve
from .delays import neighbour_information as neighbour_information
from .delays import theiler_steps as theiler_steps
from .dimensions import embedding_dimension_cao as embedding_dimension_cao
from .dimensions import false_nearest_neighbours as false_nearest_neighbours
from .false_neighbours import embedding_dimension_hegger_kantz as embedding_dimension_hegger_kantz
from .false_neighbours import embedding_dimension_krakovska as embedding_dimension_krakovska
from .optimal import optimal_embedding as optimal_embedding
from .progressive import garcia_almeida as garcia_almeida
from .progressive import mdop as mdop
from .unified import Embedding as Embedding
from .unified import continuity as continuity
from .unified import pecuzal as pecuzal
from .unified import uzal_cost as uzal_cost
