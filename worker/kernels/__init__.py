"""The path statistics: tensors in, tensors out, one module per quantity."""
