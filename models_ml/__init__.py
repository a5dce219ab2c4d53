"""The model: from a folder of histories to weights that score places and embed people.

It knows tensors and Parquet, and neither Feast, dbt, Dagster nor BentoML.
"""

import os

# Threads that wait for each other spin, unless torch's OpenMP is told otherwise before it is
# loaded: with anything else at work, a training on both of two cores takes several times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
