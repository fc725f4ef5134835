"""The refinement loop: noise, what a model must offer, which positions to accept, and when a block is finished."""
