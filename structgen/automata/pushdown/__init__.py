"""Automata that call each other: one component for each rule that is used often or inside itself.

Together they are a recursive transition network (Woods, "Transition network grammars for natural language analysis",
1970), also known as a recursive state machine (Alur et al., "Analysis of recursive state machines", 2005): a component
reads symbols, or calls another component and continues once that one returns.
"""
