"""The Triton kernels, one file per function of `Backend`: class scores, scans, draws. Not written yet."""
