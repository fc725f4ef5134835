"""What the ids of a model's vocabulary spell, and how a walk goes over all of them."""
