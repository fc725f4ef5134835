"""The smallest automaton of a language, with the fewest classes of symbols.

`minimize` drops the states that no accepted string visits, then merges those that no string tells apart. The algorithm
is Hopcroft's in the form of Valmari, "Fast brief practical DFA minimization" (2012), which costs O(E log E) in the live
edges, however long the chains of a bounded repetition are. Most automata here are nearly minimal already, so a few
rounds of Moore's refinement are tried first: they tell states apart by digests of their languages, and their result is
checked edge by edge. The new states are numbered in breadth-first order.

Three states, for [ab]+ written with one target for each letter; 2 and 3 accept:

    edges          1 ──a──→ 2    1 ──b──→ 3    2 ──a──→ 2    2 ──b──→ 3    3 ──a──→ 2    3 ──b──→ 3
    acceptance     blocks {1} and {2, 3}
    by a and b     2 and 3 both stay within {2, 3}, so no block is split
    merged         1 ──a,b──→ 2    2 ──a,b──→ 2; a and b have equal edges, so `merge_columns` makes them one class
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.edges import by, in_order, reach
from structgen.automata.finite.interning import mixed, seek
from structgen.automata.finite.nfa import Ints
from structgen.limits.budget import check, loading
from structgen.limits.interrupt import SLICE, used_up
from structgen_engine.jit import kernel

LARGE, FEW = (
    300_000,
    4,
)  # above LARGE states only FEW rounds: long counted repetitions, which Moore splits one state a round
ROUNDS = 64  # rounds of refinement by digests; a round takes a hundredth of the time of Hopcroft's algorithm


def minimize(
    source: Ints, label: Ints, target: Ints, accepting: NDArray[np.bool_], start: int
) -> tuple[Ints, Ints, Ints, NDArray[np.bool_]]:
    """Merge equal states. Edges must be deterministic; states are 1 … S − 1, state 0 is dead and has no edges.

    Returns edges (source, label, target) over new states, and which of the new states accept. State 1 is the start; an
    empty language has no edges and no accepting state.
    """
    check()
    with loading("minimize"):
        keep = _useful(source, target, accepting, start)
        live = keep[source] & keep[target]
        if not live.all():
            source, label, target = source[live], label[live], target[live]
        del live
        block_of, certain = _moore(
            source, label, target, accepting, keep, ROUNDS if len(accepting) < LARGE else FEW
        )
        check()
        if not certain:
            block_of = _hopcroft(source, label, target, accepting, keep)
            check()
        block_of[~keep] = -1
        return _quotient(source, label, target, accepting, block_of, start)


def merge_columns(source: Ints, label: Ints, target: Ints, labels: int) -> tuple[Ints, int]:
    """Classes of labels with equal edges: class_of [labels] int32, class 0 for labels without an edge; their number."""
    rng = np.random.default_rng(0)
    top = int(max(source.max(initial=0), target.max(initial=0))) + 1
    salt = rng.integers(1, 2**63, size=(2, top), dtype=np.uint64)
    sums, counts = _column_digests(source, label, target, labels, salt)
    _, first, inverse = np.unique(sums, return_index=True, return_inverse=True)
    if not _columns_agree(source, label, target, labels, first[inverse]):
        raise AssertionError("columns with different edges share a digest")
    empty = counts[first] == 0
    rank = np.where(empty, 0, np.cumsum(~empty))
    return rank[inverse].astype(np.int32), int((~empty).sum()) + 1


@kernel
def _column_digests(source, label, target, labels, salt):  # pragma: no cover
    """The sum of the digests of each label's edges, and their number."""
    sums, counts = np.zeros(labels, np.uint64), np.zeros(labels, np.int64)
    for e in range(len(label)):
        digest = salt[0, source[e]] * (salt[1, target[e]] | np.uint64(1))
        sums[label[e]] += digest ^ (salt[1, target[e]] >> np.uint64(17))
        counts[label[e]] += 1
    return sums, counts


@kernel
def _columns_agree(source, label, target, labels, representative):  # pragma: no cover
    """Whether each column has its representative's edges, compared one by one, since digests may collide."""
    order, at = in_order(label, source, labels)
    for c in range(labels):
        other = representative[c]
        if at[c + 1] - at[c] != at[other + 1] - at[other]:
            return False
        for k in range(at[c + 1] - at[c]):
            one, two = order[at[c] + k], order[at[other] + k]
            if source[one] != source[two] or target[one] != target[two]:
                return False
    return True


def _useful(source: Ints, target: Ints, accepting: NDArray[np.bool_], start: int) -> NDArray[np.bool_]:
    """States on some path from the start to acceptance."""
    states = len(accepting)
    forward = reach(source, target, np.arange(states) == start)
    backward = reach(target, source, accepting)
    return forward & backward


@kernel
def _mark(element, location, first, end, marked, set_of, touched, count, item):  # pragma: no cover
    """Move `item` into the marked head of its set; remember sets marked for the first time."""
    s = set_of[item]
    i, j = location[item], first[s] + marked[s]
    if i < j:
        return count
    element[i] = element[j]
    location[element[i]] = i
    element[j] = item
    location[item] = j
    if marked[s] == 0:
        touched[count] = s
        count += 1
    marked[s] += 1
    return count


@kernel
def _split(element, first, end, marked, set_of, touched, count, sets):  # pragma: no cover
    """Split every touched set into its marked head and the rest; the smaller part becomes the new set."""
    for k in range(count):
        s = touched[k]
        j = first[s] + marked[s]
        if j == end[s]:
            marked[s] = 0
            continue
        if marked[s] <= end[s] - j:
            first[sets], end[sets] = first[s], j
            first[s] = j
        else:
            first[sets], end[sets] = j, end[s]
            end[s] = j
        for i in range(first[sets], end[sets]):
            set_of[element[i]] = sets
        marked[s] = 0
        marked[sets] = 0
        sets += 1
    return sets


@kernel
def _shortest(label, target, order, at, accepting, keep):  # pragma: no cover
    """A digest of the first of the shortest words that each state accepts: equal where the languages are."""
    states = len(keep)
    begin, incoming = np.zeros(states + 1, np.int64), np.empty(len(target), np.int32)
    for to in target:
        begin[to + 1] += 1
    for state in range(states):
        begin[state + 1] += begin[state]
    fill = begin[:-1].copy()
    digest, distance = np.zeros(states, np.uint64), np.full(states, -1, np.int32)
    queue, tail = np.empty(states, np.int32), 0
    for state in range(states):
        for e in range(at[state], at[state + 1]):
            to = target[order[e]]
            incoming[fill[to]] = state
            fill[to] += 1
        if keep[state] and accepting[state]:
            distance[state], digest[state] = 0, np.uint64(1)
            queue[tail] = state
            tail += 1
    head = 0
    while head < tail:
        state = queue[head]
        head += 1
        best = -1
        for e in range(at[state], at[state + 1]):
            edge = order[e]
            nearer = distance[target[edge]] == distance[state] - 1
            if nearer and distance[state] > 0 and (best < 0 or label[edge] < label[best]):
                best = edge
        if best >= 0:
            digest[state] = mixed(digest[target[best]] * np.uint64(31) + np.uint64(label[best]))
        for i in range(begin[state], begin[state + 1]):
            source = incoming[i]
            if distance[source] < 0:
                distance[source] = distance[state] + 1
                queue[tail] = source
                tail += 1
    return digest


@kernel
def _numbered(digest, keep):  # pragma: no cover
    """A number for each state, equal where digests are, −1 outside `keep`; and the number of distinct digests."""
    size = 64
    while size < 4 * len(keep):
        size *= 2
    table, number, count = np.zeros(size, np.int32), np.full(len(keep), -1, np.int32), 0
    for state in range(1, len(keep)):  # 0 is dead
        if keep[state]:
            slot = seek(table, digest, digest[state], mixed(digest[state]))
            if table[slot]:
                number[state] = number[table[slot]]
            else:
                table[slot], number[state] = state, count
                count += 1
    return number, count


@kernel
def _runs(label, target, order, at, labels):  # pragma: no cover
    """Runs of neighbouring edges to the same state: where each state's begin, the sum of labels' salts, the target."""
    salt = np.empty(labels, np.uint64)
    for c in range(labels):
        salt[c] = mixed(c)
    run_at = np.zeros(len(at), np.int64)
    run_salt, run_target, filled = np.zeros(len(label), np.uint64), np.zeros(len(label), np.int32), 0
    for state in range(len(at) - 1):
        for e in range(at[state], at[state + 1]):
            to = target[order[e]]
            if e == at[state] or to != run_target[filled - 1]:
                run_target[filled] = to
                filled += 1
            run_salt[filled - 1] += salt[label[order[e]]]
        run_at[state + 1] = filled
    return run_at, run_salt, run_target


@kernel
def _moore(source, label, target, accepting, keep, rounds):  # pragma: no cover
    """The block of each state, −1 for states that are not kept; and whether the blocks are proved to be final."""
    states, labels = len(keep), 1
    for c in label:
        labels = max(labels, c + 1)
    order, at = by(source, states)
    run_at, run_salt, run_target = _runs(label, target, order, at, labels)
    digest = _shortest(label, target, order, at, accepting, keep)
    number, count = _numbered(digest, keep)
    kept, work, look = keep.sum(), 0, SLICE
    for _ in range(rounds):
        if count == kept:
            return number, True
        work += len(source)
        if work > look:
            look = work + SLICE
            if used_up():
                break
        refined = digest.copy()
        for state in range(states):
            total = np.uint64(0)
            for r in range(run_at[state], run_at[state + 1]):
                total += run_salt[r] * (digest[run_target[r]] | np.uint64(1))
            refined[state] = mixed(total ^ (digest[state] * np.uint64(31)))
        number, more = _numbered(refined, keep)
        digest = refined
        if more == count:
            return number, _stable(number, label, target, order, at, accepting, keep)
        count = more
    return number, count == kept


@kernel
def _stable(number, label, target, order, at, accepting, keep):  # pragma: no cover
    """Whether the states of each block agree in acceptance, labels and blocks of targets, since digests may collide."""
    first = np.full(len(keep), -1, np.int32)
    for state in range(len(keep)):
        if not keep[state]:
            continue
        other = first[number[state]]
        if other < 0:
            first[number[state]] = state
            continue
        if accepting[state] != accepting[other] or at[state + 1] - at[state] != at[other + 1] - at[other]:
            return False
        for k in range(at[state + 1] - at[state]):
            one, two = order[at[state] + k], order[at[other] + k]
            if label[one] != label[two] or number[target[one]] != number[target[two]]:
                return False
    return True


@kernel
def _blocks(accepting, keep):  # pragma: no cover
    """A partition with one set of all kept states, the accepting ones marked; and the sets touched by that."""
    states = len(keep)
    element, location = np.empty(states, np.int32), np.empty(states, np.int32)
    first, end = np.zeros(states + 1, np.int32), np.zeros(states + 1, np.int32)
    marked, of = np.zeros(states + 1, np.int32), np.full(states, -1, np.int32)
    kept = 0
    for state in range(states):
        if keep[state]:
            element[kept], location[state], of[state] = state, kept, 0
            kept += 1
    end[0] = kept
    touched, count = np.empty(1, np.int32), 0
    for state in range(states):
        if keep[state] and accepting[state]:
            count = _mark(element, location, first, end, marked, of, touched, count, state)
    return (element, location, first, end, marked, of), touched, count


@kernel
def _cords(label):  # pragma: no cover
    """A partition of the edges into one set for each label, and the number of sets."""
    edges, labels = len(label), 0
    for c in label:
        labels = max(labels, c + 1)
    element, offsets = by(label, labels)
    location, of = np.empty(edges, np.int32), np.empty(edges, np.int32)
    first, end = np.zeros(edges + 1, np.int32), np.zeros(edges + 1, np.int32)
    marked, cords = np.zeros(edges + 1, np.int32), 0
    for c in range(labels):
        if offsets[c] == offsets[c + 1]:
            continue
        first[cords], end[cords] = offsets[c], offsets[c + 1]
        for i in range(offsets[c], offsets[c + 1]):
            location[element[i]], of[element[i]] = i, cords
        cords += 1
    return (element, location, first, end, marked, of), cords


@kernel
def _hopcroft(source, label, target, accepting, keep):  # pragma: no cover
    """Valmari's double partition refinement: blocks of states against cords of edges. Returns the block of each state.

    The result is invalid if time or memory is used up on the way.
    """
    (b_element, b_location, b_first, b_end, b_marked, b_of), touched, count = _blocks(accepting, keep)
    blocks = _split(b_element, b_first, b_end, b_marked, b_of, touched, count, 1)
    (c_element, c_location, c_first, c_end, c_marked, c_of), cords = _cords(label)
    touched = np.empty(max(len(keep), len(source)) + 1, np.int32)
    incoming, in_offsets = by(target, len(keep))
    b, c, work, look = 1, 0, 0, SLICE
    while c < cords:
        work += c_end[c] - c_first[c]
        if work > look:
            look = work + SLICE
            if used_up():
                break
        count = 0
        for i in range(c_first[c], c_end[c]):
            count = _mark(
                b_element, b_location, b_first, b_end, b_marked, b_of, touched, count, source[c_element[i]]
            )
        blocks = _split(b_element, b_first, b_end, b_marked, b_of, touched, count, blocks)
        c += 1
        while b < blocks:
            count = 0
            for i in range(b_first[b], b_end[b]):
                state = b_element[i]
                work += in_offsets[state + 1] - in_offsets[state]
                for e in range(in_offsets[state], in_offsets[state + 1]):
                    count = _mark(
                        c_element, c_location, c_first, c_end, c_marked, c_of, touched, count, incoming[e]
                    )
            cords = _split(c_element, c_first, c_end, c_marked, c_of, touched, count, cords)
            b += 1
    return b_of


@kernel
def _quotient(source, label, target, accepting, block_of, start):  # pragma: no cover
    """The automaton of the blocks, its states numbered breadth-first from the start's block (1)."""
    states = len(block_of)
    blocks = 1
    for block in block_of:
        blocks = max(blocks, block + 1)
    if block_of[start] < 0:
        none = np.empty(0, np.int32)
        return none, none.copy(), none.copy(), np.zeros(2, np.bool_)
    representative = np.full(blocks, -1, np.int64)
    for state in range(states):
        if block_of[state] >= 0:
            representative[block_of[state]] = state
    order, offsets = by(source, states)
    number, queue = np.zeros(blocks, np.int32), np.empty(blocks, np.int64)
    number[block_of[start]] = 1
    queue[0] = block_of[start]
    head, tail, filled = 0, 1, 0
    new_source = np.empty(len(source), np.int32)
    new_label, new_target = new_source.copy(), new_source.copy()
    new_accepting = np.zeros(blocks + 1, np.bool_)
    while head < tail:
        block = queue[head]
        head += 1
        state = representative[block]
        new_accepting[number[block]] = accepting[state]
        for e in range(offsets[state], offsets[state + 1]):
            to = block_of[target[order[e]]]
            if number[to] == 0:
                number[to] = tail + 1
                queue[tail] = to
                tail += 1
            new_source[filled] = number[block]
            new_label[filled] = label[order[e]]
            new_target[filled] = number[to]
            filled += 1
    return new_source[:filled], new_label[:filled], new_target[:filled], new_accepting[: tail + 1]
