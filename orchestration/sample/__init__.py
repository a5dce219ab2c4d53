"""The sample city: made-up raw logs whose truth is known, so that what is found can be checked."""

from orchestration.sample.generate import SampleCity, generate
from orchestration.sample.past import SampleError

__all__ = ["SampleCity", "SampleError", "generate"]
