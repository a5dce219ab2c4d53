"""From a training set on disk to tensors: the split, tokens, packing, and what may leak."""
