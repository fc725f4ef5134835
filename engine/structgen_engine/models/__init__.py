"""One module per family of models, each behind the interface of `Denoiser`."""
