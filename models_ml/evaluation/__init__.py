"""How good a model is: questions, ranks, lists, slices, behaviour, cost, and the gate."""
