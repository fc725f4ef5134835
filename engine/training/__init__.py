"""Tools that make the embedded denoiser: documents, training, evaluation, export. Not in the wheel."""
