"""A source compiled for a vocabulary: the public `compile` and what it returns.

    constraint = sg.compile(Invoice, sg.Vocabulary.from_file("tokenizer.json"))

Without a vocabulary the tokens are single bytes. If the vocabulary has an end token, the automaton describes a whole
answer: the text, the end token, then padding; `min_tokens` therefore counts the end token.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, Unpack, get_args, overload

from structgen.cache import cached_arrays
from structgen.collector import paused
from structgen.compiler.asked import generated, readable, searched
from structgen.compiler.compiled import Compiled, Regime, complete, from_arrays
from structgen.compiler.info import Info
from structgen.compiler.nearest import Projecting
from structgen.compiler.unbound import Unbound
from structgen.documents import Document
from structgen.errors import InvalidOption, InvalidVocabulary, StructgenError, Unsatisfiable, Unsupported
from structgen.grammar import TEXT, Check, Grammar, both, complement, literal, optional, ref, seq, spelled_out
from structgen.limits.budget import limited, loading
from structgen.sources import Additional, Order, Readable, Source, Terms, Unknown, Whitespace, as_source
from structgen.sources.copies import bound, copies
from structgen.sources.json_schema import JsonSchema, Resources
from structgen.tokens.vocabulary import BYTES, Vocabulary
from structgen_engine.automata.arrays import NEVER

if TYPE_CHECKING:
    from structgen.compiler.check import CheckResult
    from structgen.compiler.review import Reviewer
    from structgen_engine.automata.dfa import Dfa
    from structgen_engine.decoding.automaton import TokenAutomaton

T = TypeVar("T")

SHORT = Repr()  # of sources in a notebook's line
SHORT.maxother = 80
SECONDS, GIGABYTES = 20.0, 2.0  # that compiling may take unless the caller says otherwise


@dataclass(frozen=True, eq=False)
class Constraint(Projecting, Generic[T]):
    """A source compiled for a vocabulary."""

    source: Source[T]
    vocabulary: Vocabulary
    compiled: Compiled
    milliseconds: float
    cached: bool = field(default=False)
    fingerprint: str = field(default="")  # of the grammar that was compiled
    rule: Check | None = field(default=None)
    unbound: Unbound | None = field(default=None)  # of a constraint that copies from a document
    document: str | None = field(default=None)  # that values are copied from

    def __repr__(self) -> str:
        """Of what, in which regime, how large."""
        if self.compiled is self.unbound:
            return f"Constraint({SHORT.repr(self.source)}, no document bound)"
        size = f"{self.compiled.states:,} states, {self.vocabulary.size:,} tokens"
        return f"Constraint({SHORT.repr(self.source)}, {self.compiled.regime}, {size})"

    @property
    def copies(self) -> bool:
        """Whether values are copied from a document, which `bind` gives."""
        return self.unbound is not None

    def bind(self, document: str | Document) -> Constraint[T]:
        """The constraint whose verbatim values are pieces of this document; the schema is not read again.

        A constraint without verbatim values stays as it is. Raises InvalidSource for an empty document.
        """
        text = document.text if isinstance(document, Document) else document
        begun = time.perf_counter()
        with limited(SECONDS, GIGABYTES), paused():
            return _bound(self, text, begun)

    @property
    def needs_checks(self) -> bool:
        """Whether the automaton accepts more than the source, so that a decoder must review each output.

        The verbs do so: they draw again whatever follows a repeated element (see `reviewer`).
        """
        return self.rule is not None

    @property
    def automaton(self) -> TokenAutomaton:
        """The automaton of whole answers over token ids: a table, or a lazy automaton that grows as it is used.

        Threads may share a lazy automaton. Once it has grown too large, the next access returns a fresh one, so a
        request should read this property once and keep the result.
        """
        return self.compiled.automaton

    @property
    def dfa(self) -> Dfa:
        """The automaton of whole answers over token ids, as a table; raises Unsupported in the lazy regime."""
        return self.compiled.dfa

    @property
    def min_tokens(self) -> int:
        """The length of the shortest complete answer in tokens, end token included.

        It is an upper bound in two cases: in the lazy regime, if a search of a thousand configurations cannot prove
        that it is the minimum; and if elements must differ in a way that the automaton cannot decide.
        """
        if self.rule is not None:
            return len(self._witness)
        return self.compiled.min_tokens

    def reviewer(self) -> Reviewer | None:
        """The reviewer of one output that is about to be generated; None if the automaton decides everything."""
        if self.rule is None:
            return None
        from structgen.compiler.review import Reviewer
        from structgen.compiler.witness import Checker

        return Reviewer(Checker(self.rule, self.compiled), self.automaton, self._witness)

    @cached_property
    def _witness(self) -> list[int]:
        """A short answer that passes the check."""
        from structgen.compiler.witness import Checker, Narrowing

        assert self.rule is not None
        checker, found = Checker(self.rule, self.compiled), self.compiled.shortest()
        if found is not None and checker.fault(found) is not None:
            found = Narrowing(checker, self.automaton).witness([], NEVER)
        if found is None:
            raise Unsatisfiable("no text was found that satisfies this source with all elements different")
        return found

    def accepts(self, text: str | bytes) -> bool:
        """Whether the text satisfies the source, however it is spelled.

        This accepts more than is generated, which has one spelling: strings may contain any escape, numbers may have an
        exponent and zeros after the point (where 1.0 is an integer, so is 1e2), times may have a small t and z. White
        space and the order of members follow the source's options. `accepts_ids` accepts only what is generated.
        """
        if not self._spells(text):
            return False
        return self.rule is None or self.rule(text if isinstance(text, str) else text.decode()) is None

    def check(self, text: str) -> CheckResult:
        """Where the text leaves the source, if it does, and what was possible there; true if it is accepted.

        Strings and numbers are read in every spelling, as by `accepts`.
        """
        from structgen.compiler.check import CheckResult, refusal

        if self.accepts(text):
            return CheckResult(accepted=True)
        return replace(refusal(self, text), undeclared=self._open_accepts(text))

    def _open_accepts(self, text: str) -> bool:
        """Whether a JSON Schema that generates declared members alone accepts the text with others.

        False if it does not compile with others.
        """
        if not isinstance(self.source, JsonSchema) or self.source.additional != "declared":
            return False
        try:
            return compile(replace(self.source, additional="open")).accepts(text)
        except StructgenError:
            return False

    def _spells(self, text: str | bytes) -> bool:
        """Whether the automaton accepts the text, or its canonical spelling."""
        spelled = (
            text.encode(errors="surrogatepass") if isinstance(text, str) else text
        )  # half a pair is never accepted
        return self.compiled.accepts(spelled) or self._reads(spelled)

    def _reads(self, spelled: bytes) -> bool:
        """Whether the canonical spelling of the text is allowed, for texts that would not be generated."""
        if self._reading is self.compiled and not isinstance(self.source, Readable):
            return False
        try:
            text = spelled.decode()
        except UnicodeDecodeError:
            return False
        canonical = self.source.canonical(text) if isinstance(self.source, Readable) else text
        return canonical is not None and self._reading.accepts(canonical.encode())

    @cached_property
    def over_bytes(self) -> Compiled:
        """What `accepts` reads, over bytes: the canonical spellings of JSON, or the texts of any other source."""
        compiled = self._reading
        if compiled.vocabulary is BYTES:
            return compiled
        grammar = self._of_document(generated(self.source))
        return _automaton(grammar, BYTES, "auto" if compiled.depth is None else "expanded")[0]

    def _of_document(self, grammar: Grammar) -> Grammar:
        """A grammar of the source, with the pieces of the document that is bound."""
        return grammar if self.document is None else bound(grammar, self.document)

    @cached_property
    def _reading(self) -> Compiled:
        """The automaton that reads texts: the generating one, or a second one if it must read more."""
        deepens = self.compiled.depth is not None
        try:
            grammar = self._of_document(readable(self.source))
            if grammar.markup or grammar.fingerprint != self.fingerprint:
                return _automaton(grammar, BYTES, "expanded" if deepens else "auto")[0]
        except Unsupported:
            pass  # the reading automaton is too large to compile: read only what is generated
        return self.compiled

    def accepts_ids(self, ids: Iterable[int]) -> bool:
        """Whether the ids are a whole answer, with or without end token and padding."""
        ids = list(ids)
        if not self._automaton_accepts_ids(ids):
            return False
        return self.rule is None or self.rule(self.vocabulary.decode(ids).decode()) is None

    def _automaton_accepts_ids(self, ids: list[int]) -> bool:
        known = all(0 <= token_id < self.vocabulary.size for token_id in ids)
        return known and self.compiled.accepts_ids(ids)

    def parse(self, text: str) -> T:
        """The value that an accepted text stands for."""
        return self.source.parse(text)

    def info(self) -> Info:
        """The size of the automaton, the length of the shortest answer, and the time that compiling took."""
        return Info(
            **vars(self.compiled.size),
            min_tokens=self.min_tokens,
            milliseconds=self.milliseconds,
            cached=self.cached,
            checked=() if self.rule is None else self.rule.places,
            max_tokens=self.compiled.max_tokens,
        )


class CompileOptions(TypedDict, total=False):
    """Options of `compile`, as type checkers see them."""

    whitespace: Whitespace
    additional: Additional
    unknown: Unknown
    resources: Resources | None
    order: Order
    regime: Regime
    seconds: float
    gigabytes: float
    document: str | Document | None


@overload
def compile(
    source: type[T], vocabulary: Vocabulary = ..., **how: Unpack[CompileOptions]
) -> Constraint[T]: ...
@overload
def compile(
    source: Source[T], vocabulary: Vocabulary = ..., **how: Unpack[CompileOptions]
) -> Constraint[T]: ...
@overload
def compile(
    source: Sequence[str], vocabulary: Vocabulary = ..., **how: Unpack[CompileOptions]
) -> Constraint[str]: ...
@overload
def compile(
    source: object, vocabulary: Vocabulary = ..., **how: Unpack[CompileOptions]
) -> Constraint[Any]: ...
def compile(
    source: object,
    vocabulary: Vocabulary = BYTES,
    *,
    whitespace: Whitespace = "flexible",
    additional: Additional = "declared",
    unknown: Unknown = "ignore",
    resources: Resources | None = None,
    order: Order = "declared",
    regime: Regime = "auto",
    seconds: float = SECONDS,
    gigabytes: float = GIGABYTES,
    document: str | Document | None = None,
) -> Constraint[Any]:
    """Compile what `source` describes into an automaton over the tokens of `vocabulary`.

    source: a Source, a pydantic class, any other type, a JSON Schema as a dict, True or False, or a list of strings to
        choose from. The next five options are for JSON and explained at JsonSchema; a Source keeps its own.
    whitespace: "flexible" allows white space between JSON tokens, "compact" allows none
    additional: "declared" generates only what a schema mentions, "open" whatever it allows
    unknown: "ignore" treats unknown keywords as annotations but refuses misspelled ones, "annotations" treats all of
        them as annotations, "refuse" refuses all
    resources: further schemas that references may name, by URI
    order: the order of an object's members: "declared", as the schema names them, or "any"
    regime: "expanded" makes one table, which limits the depth of recursion (see `info()`); "lazy" computes states as
        they are needed, to any depth; "auto" makes a table if it can hold the whole language, and is lazy otherwise
    seconds, gigabytes: how much CPU time compiling may take and how much memory it may add before it is refused
    document: what verbatim values are copied from; without it the constraint waits for `bind`

    Raises InvalidSource, Unsupported (with keyword, pointer and remedy), Unsatisfiable, InvalidVocabulary or
    InvalidOption.
    """
    if not isinstance(vocabulary, Vocabulary):
        raise InvalidVocabulary(
            f"a vocabulary is needed, not {vocabulary!r:.80}; read one with Vocabulary.from_file(path)"
        )
    if regime not in get_args(Regime):
        raise InvalidOption(f"regime must be one of {', '.join(get_args(Regime))}, not {regime!r}")
    source = as_source(
        source, Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
    )
    begun = time.perf_counter()
    with limited(seconds, gigabytes), paused():
        constraint = _compiled(source, vocabulary, regime, begun)
        if document is None:
            return _possible(constraint)
        return _bound(constraint, document.text if isinstance(document, Document) else document, begun)


def _possible(constraint: Constraint[Any]) -> Constraint[Any]:
    """The constraint; raises Unsatisfiable if it has no answer."""
    if not constraint.compiled.has_answer:
        raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
    if constraint.needs_checks and not isinstance(constraint.compiled, Unbound):
        _ = constraint.min_tokens  # raises where no text was found
    return constraint


def _compiled(source: Source[Any], vocabulary: Vocabulary, regime: Regime, begun: float) -> Constraint[Any]:
    grammar = generated(source)
    vocabulary = vocabulary.showing(grammar.markup)
    if copies(grammar):
        unbound: Any = Unbound(vocabulary, regime, grammar)
        return Constraint(source, vocabulary, unbound, 0.0, False, "", grammar.check, unbound)
    compiled, cached = _automaton(grammar, vocabulary, regime)
    whole = searched(source) if compiled.regime == "lazy" else None
    if whole is not None and whole != grammar:
        grammar = whole
        compiled, cached = _automaton(grammar, vocabulary, "lazy")
    milliseconds = (time.perf_counter() - begun) * 1000
    return Constraint(source, vocabulary, compiled, milliseconds, cached, grammar.fingerprint, grammar.check)


def _bound(constraint: Constraint[Any], document: str, begun: float) -> Constraint[Any]:
    """A constraint with the pieces of a document in the place of those of an unknown one."""
    if constraint.unbound is None or document == constraint.document:
        return _possible(constraint)
    grammar = bound(constraint.unbound.grammar, document)
    compiled, _ = _automaton(grammar, constraint.vocabulary, constraint.unbound.asked)
    fresh = replace(
        constraint,
        compiled=compiled,
        milliseconds=(time.perf_counter() - begun) * 1000,
        fingerprint=grammar.fingerprint,
        document=document,
    )
    return _possible(fresh)


def _automaton(grammar: Grammar, vocabulary: Vocabulary, regime: Regime) -> tuple[Compiled, bool]:
    """The compiled grammar, and whether it was found on disk."""
    made: list[Compiled] = []
    grammar = spelled_out(grammar, vocabulary.special)

    def make() -> Any:
        from structgen.compiler.regimes import compile_grammar

        with loading("all"):
            _load_kernels()
        made.append(compile_grammar(grammar, vocabulary, regime))
        return made[0].arrays()

    if any(expr.facts.copied for expr in (grammar.start, *grammar.rules.values())):
        make()  # documents are many, and each is asked about once: nothing is stored
        return made[0], False
    key = f"{grammar.fingerprint}-{vocabulary.fingerprint}-{regime}"
    arrays = cached_arrays("constraint", key, make, complete)
    return (made[0], False) if made else (from_arrays(arrays, vocabulary), True)


@cache
def _load_kernels() -> None:
    """Compile a small grammar, so that numba's one-time compilation is not charged to a source's budget."""
    from structgen.compiler.lazy import LazyAutomaton
    from structgen.compiler.regimes import compile_grammar
    from structgen.limits.first_run import announce

    announce()
    nested = Grammar(
        ref("a"), {"a": optional(seq(literal("("), complement(both(TEXT, literal("a"))), ref("a")))}
    )
    compile_grammar(nested, BYTES, "expanded")
    LazyAutomaton.of(nested, BYTES)
