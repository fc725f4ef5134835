"""The fields of a line: the int64 numbers that describe one row of the batch to a kernel, and their indices.

A batch may mix automata of all sizes. Their tables lie anywhere in the device's memory, and the values of all rows of
the batch in flat arrays; a line says where those of its row begin. The only other sizes that kernels receive are common
to all rows.

Axes: B batch, N block, V vocabulary, K classes, S states, C chunks, E edges.
"""

from __future__ import annotations

import triton.language as tl

FIELDS = tl.constexpr(33)  # numbers in a line

PLACE = tl.constexpr(26)  # the row of the host's tables: temperature, entropy, ids
RAISED = tl.constexpr(27)  # 1: a logit of −inf counts as the lowest that is distinguished

LEAN = tl.constexpr(28)  # 1: messages are kept for a few positions at a time, see `lean`
ROW_LENGTH = tl.constexpr(29)  # the row's positions, at most N; nothing is read or written behind them
SOURCE = tl.constexpr(30)  # where its logits begin, in rows of the table of logits
TARGET = tl.constexpr(31)  # the row of the tables that marginals are written to
SLOT = tl.constexpr(32)  # the row of the host's table of steps done

CLASSES = tl.constexpr(0)  # K
AT_CLASS = tl.constexpr(1)  # where the row's [N, K] tables begin

# lines of alphabets
CHUNKS = tl.constexpr(2)  # C
AT_CHUNK = tl.constexpr(3)  # where the row's [N, C] tables begin
KNOWN = tl.constexpr(4)  # V of the alphabet
CLASS_OF = tl.constexpr(5)  # [V]: where the table begins, as for the next fields
CHUNK_FIRST = tl.constexpr(6)  # [K + 1], the first chunk of each class
CHUNK_AT = tl.constexpr(7)  # [C], where the tokens of each chunk are, counted from the first wide row
CHUNK_SIZE = tl.constexpr(8)  # [C]
WIDE = tl.constexpr(9)  # [rows, WIDTH] tokens; fields: table, the chunk of each row, number of rows
NARROW = tl.constexpr(12)  # the same

# lines of automata
STATES = tl.constexpr(2)  # S
AT_STATE = tl.constexpr(3)  # where the row's [S] tables begin
EDGES = tl.constexpr(4)  # [S + 1] offsets, then [E] classes, then [E] targets
EDGE_COUNT = tl.constexpr(5)  # E

# trees; fields: table, number of results, where the row's numbers begin, number of row sums. The numbers of SETS, JOINT
# and SHARES are [N, results and row sums], those of LEAVING and ENTERING [N + 1, results] and one set of row sums
SETS = tl.constexpr(6)  # classes by bundle
LEAVING = tl.constexpr(10)  # arcs out of each state: bundle and target
ENTERING = tl.constexpr(14)  # arcs into each state: bundle and source
JOINT = tl.constexpr(18)  # arcs of each bundle: source and target
SHARES = tl.constexpr(22)  # bundles of each class
