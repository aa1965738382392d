"""The application: projects, services, views and the command line."""

import os

# Before NumPy loads: the engine's reference is faster on one thread, and threads of OpenBLAS spin between its calls,
# which the window feels and a benchmark counts as CPU time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
