"""Running a pushdown whose configurations do not fit into tables: they are computed on demand and kept.

    text symbols                                      tokens
    configurations: stacks and single steps  ─→  effects: what tokens do from the state on top of a stack
                                             ─→  automaton: the edges of a whole configuration
                                                 classes: tokens that no set met so far distinguishes
                                                 renewal: when the tables are discarded

What lies deep in a stack matters only to the few tokens that return to it. So the walk over the vocabulary starts from
a *state* with an unknown rest below it; its result is shared by all configurations with that state on top, and the
tails of the tokens that return continue from the states below.
"""

from structgen.compiler.lazy.automaton import LazyAutomaton
from structgen.compiler.lazy.renewal import Renewal

__all__ = ["LazyAutomaton", "Renewal"]
