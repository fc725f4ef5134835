"""The shortest path through the readings of a text and a pushdown whose nodes are found as they are met."""
