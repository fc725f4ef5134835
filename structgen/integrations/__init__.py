"""structgen inside the generation loops of other libraries. Users of a library import its module."""
