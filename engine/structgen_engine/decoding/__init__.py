"""The refinement loop: noise, the interface of models, which positions a step keeps, and when a block is finished."""
