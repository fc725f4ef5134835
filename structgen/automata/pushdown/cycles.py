"""The strongly connected components of a graph: which of its nodes can reach each other."""

from __future__ import annotations

from collections.abc import Sequence


def cycles(successors: Sequence[Sequence[int]]) -> list[int]:
    """The component of each node, by number; nodes on no cycle have a component to themselves.

    A component is numbered after all that it leads to (Tarjan, 1972, without recursion).
    """
    number, low, component = [-1] * len(successors), [0] * len(successors), [-1] * len(successors)
    open_nodes: list[int] = []
    count = found = 0
    for root in range(len(successors)):
        path = [(root, iter(successors[root]))] if number[root] < 0 else []
        while path:
            node, rest = path[-1]
            if number[node] < 0:
                number[node] = low[node] = count
                count += 1
                open_nodes.append(node)
            for other in rest:
                if number[other] < 0:
                    path.append((other, iter(successors[other])))
                    break
                if component[other] < 0:
                    low[node] = min(low[node], number[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    member = -1
                    while member != node:
                        member = open_nodes.pop()
                        component[member] = found
                    found += 1
    return component


def recursive(successors: Sequence[Sequence[int]], component: Sequence[int]) -> list[bool]:
    """Which nodes can reach themselves."""
    return [
        any(component[other] == component[node] for other in others) for node, others in enumerate(successors)
    ]
