"""When a run trains the model anew, and from which weights: policy, figures and verdict."""
