"""The distribution over the blocks that an automaton accepts, given the scores of one step."""
