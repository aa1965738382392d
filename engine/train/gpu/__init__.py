"""Training on one CUDA GPU: fused kernels (Triton), batches made on the device, a whole step as one CUDA graph.

`choice` says whether a training can run so and imports no Triton; the rest of this package is imported only then.
"""
