"""Projection: the valid text nearest to an answer that is not valid.

    constraint.project('Sure! ```json\\n{"total": "12",}\\n```').text == '{"total": 12}'

A distance is the least sum of weights of edits (`weights`) that turn the answer into a text of the language, and it is
exact: the search is Dijkstra's algorithm over pairs of a place in the answer and a state of the automaton.
"""

from structgen.compiler.projection.project import Edit, Projection, Projector

__all__ = ["Edit", "Projection", "Projector"]
