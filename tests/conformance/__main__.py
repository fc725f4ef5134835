"""`python -m conformance`: whole runs over both suites, random texts of compiled schemas, and random schemas."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

import material
from conformance import ratchet
from conformance.judge import SPECIFIED, ByTokens, Verdict, by_automaton, by_grammar, judge
from conformance.suites import DRAFTS, MASKBENCH, Group, suite_of
from conformance.suites import maskbench as all_of_maskbench
from conformance.suites import official as official_groups
from structgen.cli.options import Additional, Unknown
from structgen.cli.options import Order as MemberOrder
from structgen.sources import Terms

app = typer.Typer(add_completion=False, help=__doc__)

SHOWN = ("accepts", "rejects", "crash", "slow")
READ = SPECIFIED.additional, SPECIFIED.unknown, SPECIFIED.order  # of what the table of the ratchet holds
NOT_COMPILED = ("refused", "crash", "slow")
OFTEN = 200  # schemas between two lines of progress

Every = Annotated[int, typer.Option(help="Take each so-manieth schema.")]
Automaton = Annotated[bool, typer.Option(help="Compile, instead of reading the grammar.")]
Tokenizer = Annotated[
    Path | None, typer.Option(help="A tokenizer.json: judge the token ids that it gives, not bytes.")
]
State = Annotated[Path | None, typer.Option(help="A file to note what is done in, and to go on from.")]
Update = Annotated[bool, typer.Option(help="Write the table of the ratchet (whole runs only).")]


@app.command()
def lattices(
    count: int = 20_000,
    first: Annotated[int, typer.Option(help="The first seed.")] = 0,
    every: Annotated[int, typer.Option(help="Compare the draws of each so-manieth automaton.")] = 20,
    reference: Annotated[bool, typer.Option(help="The plain backend, instead of the CPU's kernels.")] = False,
) -> None:
    """Random automata against enumeration: log Z, marginals, beliefs, best blocks, and chi-squares of joint draws."""
    from conformance.lattices import NEAR, run
    from structgen_engine.kernels import cpu
    from structgen_engine.kernels import reference as plain

    tally = run(count, plain if reference else cpu, first=first, every=every)
    print(f"{tally.automata:,} random automata, of which {tally.empty:,} accept no block")
    for what, error in tally.errors.items():
        print(f"{error:9.1e}  largest error of {what}")
    low = [sum(p < bound for p in tally.p) for bound in (0.05, 0.001)]
    print(
        f"chi-squares of {len(tally.p):,} sets of draws: {low[0]} below p = 0.05 ({0.05 * len(tally.p):.0f} expected "
        f"at most), {low[1]} below 0.001; the smallest p is {min(tally.p, default=1.0):.1e}"
    )
    if max(tally.errors.values()) > NEAR or min(tally.p, default=1.0) < 1e-3 / max(1, len(tally.p)):
        raise typer.Exit(1)


@app.command()
def maskbench(
    every: Every = 1,
    start: int = 0,
    automaton: Automaton = False,
    tokenizer: Tokenizer = None,
    update: Update = False,
    additional: Additional = Additional.DECLARED,
    unknown: Unknown = Unknown.IGNORE,
    order: MemberOrder = MemberOrder.DECLARED,
) -> None:
    """MaskBench: how many schemas compile and are fully right with the product's options, and why others are not.

    `--additional open --unknown annotations` reads the schemas as JSON Schema has them; the table of the ratchet is of
    that reading.
    """
    groups = maskbench_groups(every, start)
    terms = Terms(additional=additional.value, unknown=unknown.value, order=order.value)
    _judged("maskbench", groups, automaton, tokenizer, update and every == 1, terms)


@app.command()
def kernels(every: Every = 1, start: int = 0, tokenizer: Tokenizer = None) -> None:
    """What GPU kernels need for MaskBench's schemas, counted: variants of each kernel, launches, memory of a row."""
    from bench.gpu import made_vocabulary
    from conformance.kernels import ROOM, run
    from structgen.tokens.vocabulary import Vocabulary

    vocabulary = made_vocabulary() if tokenizer is None else Vocabulary.from_file(tokenizer)
    needs = run((group.schema for group in maskbench_groups(every, start)), vocabulary)
    print(f"{len(needs.memory):,} schemas in tables, {needs.lazy} lazy, {needs.refused} refused")
    print(", ".join(f"{name} {len(found)}" for name, found in needs.variants.items()), "variants")
    print(f"at most {needs.launches} launches and {needs.waits} waits a step")
    sizes = sorted(size for size, _ in needs.memory)
    shown = [sizes[len(sizes) * share // 100] / 1e6 for share in (50, 90, 99)]
    print("MB a row: median {:.1f}, 90 % {:.1f}, 99 % {:.1f}".format(*shown))
    print(f"over {ROOM / 1e6:.0f} MB:", [(round(size / 1e6), states) for size, states in needs.large])


@app.command()
def official(
    draft: Annotated[str, typer.Option(help="One of 4, 6, 7, 2019-09 and 2020-12, or all.")] = "2020-12",
    suite: Annotated[Path | None, typer.Option(help="Its folder or archive.")] = None,
    every: Every = 1,
    start: int = 0,
    automaton: Automaton = False,
    tokenizer: Tokenizer = None,
    update: Update = False,
) -> None:
    """The official suite's required part, in the same way, draft by draft."""
    if draft not in (*DRAFTS, "all"):
        raise typer.BadParameter(f"the drafts are {', '.join(DRAFTS)} and all, not {draft!r}")
    for one in DRAFTS if draft == "all" else [draft]:
        path = suite or suite_of(one)
        if path is None or not path.exists():
            raise typer.BadParameter(
                f"there is no suite of draft {one}: {material.REMEDY}, or name its folder or archive with --suite"
            )
        groups = official_groups(one, path, every, start)
        _judged(ratchet.official(one), groups, automaton, tokenizer, update and every == 1)


@app.command()
def batches(
    rows: int = 10_000,
    kills: int = 10,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="The embedded model, instead of a toy.")
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Peak memory against that of 100 rows, instead.")
    ] = False,
) -> None:
    """`structgen batch` under kill -9 at random moments: every row once, and how many are computed twice."""
    import tempfile

    from conformance.batches import FEW, TOGETHER, killed, peak

    with tempfile.TemporaryDirectory() as name:
        if memory:
            few, many = (peak(Path(name) / str(count), count, embedded=embedded) for count in (FEW, rows))
            print(f"{FEW} rows: {few:.0f} MB at most; {rows} rows: {many:.0f} MB, {many / few:.2f} times")
            raise typer.Exit(many > 1.5 * few)
        found = killed(Path(name), rows, kills, embedded=embedded)
    print(f"{found.rows} rows, killed {found.kills} times: {found.missing} missing, {found.repeated} twice")
    print(
        f"{found.again} computed again, {found.most} after one kill at most ({TOGETHER} are in work at a time)"
    )
    raise typer.Exit(bool(found.missing or found.repeated or found.most > TOGETHER))


@app.command()
def samples(schemas: int = 500, samples: int = 100, start: int = 0, state: State = None) -> None:
    """Random texts of MaskBench's schemas, judged by jsonschema with its format checks on."""
    from conformance.samples import Tally, drawn, ecma_patterns

    tally = Tally.resumed(state)
    with ecma_patterns():
        for group in maskbench_groups(max(1, 2295 // (schemas + schemas // 20)), start):
            if tally.schemas >= schemas:
                break
            if group.name in tally.seen:
                continue
            found = drawn(group, samples)
            tally.add(group.name, found, state)
            for text in found.wrong[:3] if found else ():
                print(f"{group.name}: not valid: {text[:200]}", flush=True)
            if found and tally.schemas % (OFTEN // 10) == 0:
                print(tally, flush=True)
    print(tally, flush=True)


@app.command()
def fuzz(
    count: int = 20_000, start: int = 0, values: int = 8, order: MemberOrder = MemberOrder.DECLARED
) -> None:
    """Random schemas with random values, judged by jsonschema: never a crash, never a false acceptance."""
    from conformance.fuzz import outcome

    kinds: Counter[str] = Counter()
    begun = time.monotonic()
    for seed in range(start, start + count):
        found = outcome(seed, values, order.value)
        kinds[found.kind] += 1
        if found.kind in SHOWN:
            print(f"{seed}: {found}", flush=True)
        if (seed - start + 1) % OFTEN == 0 or seed == start + count - 1:
            print(
                f"{seed - start + 1} schemas in {time.monotonic() - begun:.0f} s: {dict(kinds)}", flush=True
            )


@app.command()
def enumerated(
    count: int = 500,
    start: int = 0,
    draft: Annotated[str | None, typer.Option(help="Schemas of the official suite, not random ones.")] = None,
) -> None:
    """All small values of random schemas, or of the official suite's: accepted if and only if jsonschema says so."""
    from conformance.enumerated import compared
    from conformance.fuzz import Maker

    groups = (Group(f"seed {seed}", Maker(seed).document(), ()) for seed in range(start, start + count))
    suite = suite_of(draft) if draft else None
    if draft and suite is None:
        raise typer.BadParameter(f"there is no suite of draft {draft}: {material.REMEDY}")
    totals = Counter[str]()
    for group in official_groups(draft, suite) if draft and suite else groups:
        found = compared(group)
        totals.update(schemas=1, refused=bool(found.refused), valid=found.valid, invalid=found.invalid)
        totals.update(accepted=len(found.accepted), rejected=len(found.rejected))
        for text in found.accepted[:3] + found.rejected[:3]:
            print(f"{group.name}: not as jsonschema says: {text[:200]}", flush=True)
    print(
        "{schemas} schemas, {refused} refused; {valid} valid texts, {rejected} rejected; {invalid} invalid texts, "
        "{accepted} accepted".format_map(totals)
    )


@app.command()
def regexes(count: int = 2500, texts: int = 8, seed: int = 0) -> None:
    """Random regular expressions with random texts, judged by Python's re: no text on which they differ."""
    from conformance.regexes import outcomes

    begun = time.monotonic()
    kinds = outcomes(count, texts, seed)
    print(f"{count} patterns with {texts} texts each in {time.monotonic() - begun:.0f} s: {dict(kinds)}")


@app.command()
def regimes(every: Every = 1, start: int = 0, explosions: bool = True) -> None:
    """Whether MaskBench's schemas, and small ones of which much comes, compile to the same in every process."""
    from conformance.regimes import EXPLOSIONS, Fresh, differing

    schemas = {group.name: group.schema for group in maskbench_groups(every, start)}
    fresh, begun = Fresh(), time.monotonic()
    regimes: Counter[str] = Counter()
    different = 0
    for number, (name, found) in enumerate(
        differing({**schemas, **(EXPLOSIONS if explosions else {})}, fresh), 1
    ):
        regimes[found[0].regime or "refused"] += 1
        if len(found) > 1:
            different += 1
            print(f"{name}: {found}", flush=True)
        if name in EXPLOSIONS:
            print(f"{name}: {found[0]}", flush=True)
        if number % OFTEN == 0:
            print(f"{number} schemas in {time.monotonic() - begun:.0f} s: {dict(regimes)}", flush=True)
    fresh.close()
    print(
        f"{sum(regimes.values())} schemas, {dict(regimes)}: {different} differ from one compilation to another"
    )


@app.command()
def lists(
    each: Annotated[int, typer.Option(help="Documents of each length.")] = 24,
    counts: Annotated[list[int] | None, typer.Option(help="Items of a list.")] = None,
    dicts: Annotated[int, typer.Option(help="Documents with a dict.")] = 50,
    seed: int = 0,
    faults: Annotated[bool, typer.Option(help="Print the lists with a wrong number of items.")] = False,
) -> None:
    """Generated lists and dicts through extract: every item there, and nothing shortened without a word."""
    import structgen
    from conformance.lists import cases, judged
    from conformance.lists import dicts as all_dicts

    model, silent = structgen.load(), 0
    asked = {f"{count} items": cases(count, each, seed) for count in counts or (5, 12, 40, 120)}
    for name, found in {**asked, "dicts": all_dicts(dicts, seed)}.items():
        tally, wrong = judged(model, found)
        silent += tally.silent
        print(f"{name}: {tally}", flush=True)
        for line in wrong if faults else ():
            print(f"  {line}")
    if silent:
        raise typer.Exit(1)


@app.command()
def documents(count: int = 200, seed: int = 0) -> None:
    """Generated documents with known answers: found where they stand, with boxes that two other judges confirm."""
    from conformance.documents import judged
    from papers import papers

    for kind, counted in judged(papers(seed, count)).items():
        for fault in counted.faults[:10]:
            print(f"{kind}: {fault}", flush=True)
        print(f"{kind}: {counted}")


@app.command()
def answers(
    count: int = 200,
    seed: int = 0,
    most_pages: Annotated[int, typer.Option(help="Pages of a PDF at most.")] = 30,
    faults: Annotated[bool, typer.Option(help="Print every span, box and warning that is wrong.")] = False,
    kept: Annotated[Path | None, typer.Option(help="Kept tallies; a run that was stopped goes on.")] = None,
    first: Annotated[int, typer.Option(help="Documents left out, for a run in parts.")] = 0,
) -> None:
    """Generated documents through extract: valid answers, exact spans, boxes that two other judges confirm."""
    import structgen
    from conformance.papers_read import read, together
    from papers import papers

    found = []
    for group, one in read(structgen.load(), papers(seed, count, most_pages, first=first), kept):
        found.append((group, one))
        for line in (*one.faults, *one.warnings) if faults else ():
            print(line, flush=True)
    for name in sorted({name for group, _ in found for name in group}):
        print(f"{name}: {together(one for group, one in found if name in group)}")
    print(f"all: {together(one for _, one in found)}")


@app.command()
def faults(
    count: int = 200,
    seed: int = 0,
    most_pages: Annotated[int, typer.Option(help="Pages of a PDF at most.")] = 2,
    silent: Annotated[bool, typer.Option(help="Print the faults that nothing names.")] = False,
) -> None:
    """Planted faults (a bound, a pattern, an absent fact, a long list): the share that a warning or an error names."""
    import structgen
    from conformance.faults import KINDS, named, planted

    model, right = structgen.load(), 0
    for kind in KINDS:
        found = [named(model, fault) for fault in planted(kind, count // len(KINDS), seed, most_pages)]
        right += found.count(None)
        print(f"{kind}: {found.count(None)} of {len(found)} named", flush=True)
        for line in filter(None, found) if silent else ():
            print(f"  {line}")
    print(f"all: {right / (count // len(KINDS) * len(KINDS)):.1%}")


@app.command()
def library(
    tokenizer: Annotated[list[Path], typer.Option(help="A tokenizer.json; may be repeated.")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Grammars; all that have a judge if none is named.")
    ] = None,
    count: Annotated[int, typer.Option(help="Texts drawn from each grammar over each vocabulary.")] = 200,
    seed: int = 0,
) -> None:
    """Texts drawn from the library's automata over real vocabularies, judged by other people's parsers.

    The judges are not installed with the tests: pip install -r tests/conformance/judges.txt
    """
    from conformance.library import judged, judges
    from structgen.tokens.vocabulary import Vocabulary

    vocabularies = {path.name.split(".")[0]: Vocabulary.from_file(path) for path in tokenizer}
    print(f"| grammar | judge | {' | '.join(vocabularies)} |\n|---|---|{'---|' * len(vocabularies)}")
    refused = 0
    for name in names or judges():
        found = {kind: judged(name, vocabulary, count, seed) for kind, vocabulary in vocabularies.items()}
        shares = (f"{one.count - len(one.refused)} of {one.count}" for one in found.values())
        print(f"| {name} | {judges()[name].package} | {' | '.join(shares)} |", flush=True)
        for kind, one in found.items():
            refused += len(one.refused)
            for text, reason in one.refused[:3]:
                print(f"{name}, {kind}: refused {text!r:.150}: {' '.join(reason.split())[:150]}", flush=True)
    if refused:
        raise typer.Exit(1)


@app.command()
def certificate(count: int = 2000, start: int = 0) -> None:
    """Random recursive grammars, searched with random limits and judged by enumeration: no bound may be violated."""
    from conformance.certificate import outcomes

    totals = Counter[str]()
    for seed in range(start, start + count):
        for found in outcomes(seed):
            totals.update(
                searches=1, certified=found.certified, incomplete=found.missing > 0, wrong=bool(found.wrong)
            )
            if found.wrong:
                print(f"{seed}: {found}", flush=True)
    print(
        f"{count} grammars, {totals['searches']} searches, {totals['incomplete']} with something left out, "
        f"{totals['certified']} best blocks certified: {totals['wrong']} wrong"
    )


@app.command()
def projection(
    count: Annotated[int, typer.Option(help="Damaged answers of each of the four kinds.")] = 75,
    seed: int = 0,
    longest: Annotated[int, typer.Option(help="Characters of an answer at most.")] = 4096,
    faults: Annotated[bool, typer.Option(help="Print the answers whose value was not recovered.")] = False,
) -> None:
    """Damaged answers of real schemas: all valid, and the value recovered as often as by json_repair, or more often."""
    from conformance.damage import KINDS, damaged
    from conformance.projected import Tally, judged, merged, percentile

    maskbench_groups(1, 0)
    tallies: dict[str, list[Tally]] = {kind: [] for kind in KINDS}
    for case, one, line in judged(damaged(count, seed, longest)):
        tallies[case.kind].append(one)
        if faults and line:
            print(f"{case.kind} {case.name}:\n  {case.answer!r:.600}\n  {line!r:.600}", flush=True)
    worse = []
    for kind, found in tallies.items():
        total = merged(found)
        print(f"{kind}: {total}", flush=True)
        least = 0.95 * total.count if kind == "wrapping" else 0
        if total.valid < total.count or total.recovered < max(least, total.repaired):
            worse.append(kind)
    seconds = merged(one for found in tallies.values() for one in found).seconds
    print(
        f"CPU time of a projection: median {percentile(seconds, 50):.0f} ms, 95 % {percentile(seconds, 95):.0f} ms"
    )
    if worse:
        raise typer.Exit(1)


@app.command()
def grammars(count: int = 3000, seed: int = 0, shown: int = 10) -> None:
    """Generated grammars in Lark's notation and the library, judged by llguidance and Lark."""
    from conformance.grammars import run

    counts, faults = run(count, seed)
    for word, number in sorted(counts.items()):
        print(f"{number:8,}  {word}")
    print(*faults[:shown], sep="\n")
    raise typer.Exit(bool(faults))


@app.command()
def exact(count: int = 700, seed: int = 0) -> None:
    """Generated grammars, whose blocks Lark judges one by one: log Z, marginals, draws and the best block."""
    from conformance.exact_grammars import run

    counts, faults = run(count, seed)
    for word, number in sorted(counts.items()):
        print(f"{number:8,}  {word}")
    print(*faults[:10], sep="\n")
    raise typer.Exit(bool(faults))


@app.command()
def mutations(count: int = 20_000, first: int = 0) -> None:
    """Mutated grammars, in Lark's notation, in EBNF and as structural tags: each is read or refused with its place."""
    from bench.footprint import Footprint
    from conformance.mutations import outcomes

    memory, counts = Footprint(), Counter[str]()
    for word, source in outcomes(count, first):
        counts[word.partition(" (")[0] if word.startswith("FAULT") else word] += 1
        if word.startswith("FAULT"):
            print(f"{word}\n{source!r}\n", flush=True)
    for word, number in sorted(counts.items()):
        print(f"{number:8,}  {word}")
    print(f"{memory.peak / 2**30:.2f} GB at the peak")
    raise typer.Exit(any(word.startswith("FAULT") for word in counts) or memory.peak > 2 * 2**30)


@app.command()
def definitions(count: int = 20_000, first: int = 0) -> None:
    """Mutated lists of tools, and choices: each is read or refused in a sentence with the place."""
    from conformance.mutated_tools import outcomes

    counts = Counter[str]()
    for word, seed in outcomes(count, first):
        counts["FAULT" if word.startswith("FAULT") else word] += 1
        if word.startswith("FAULT"):
            print(f"{seed}: {word:.300}", flush=True)
    for word, number in sorted(counts.items()):
        print(f"{number:8,}  {word}")
    raise typer.Exit(counts["FAULT"] > 0)


@app.command()
def xgrammar(folder: Path) -> None:
    """The tests of XGrammar's source distribution, unpacked in a folder, over our grammars: none may fail."""
    from conformance.xgrammar_tests import FILES, outcome

    failed = 0
    for file in FILES:
        found = outcome(folder, file)
        failed += len(found.failed)
        print(f"{file}: {found}", flush=True)
        for name in found.failed:
            print(f"    failed: {name}")
        for name in found.listed_but_passed:
            print(f"    listed as not applicable, but passed: {name}")
    raise typer.Exit(failed > 0)


@app.command()
def calls(
    every: Every = 1,
    wheel: Annotated[
        Path | None, typer.Option(help="The wheel of bfcl-eval, whose ast_checker judges.")
    ] = None,
    random: Annotated[int, typer.Option(help="Random outputs in each form, judged by jsonschema.")] = 0,
    start: int = 0,
    count: Annotated[int | None, typer.Option(help="At most so many questions.")] = None,
    form: Annotated[list[str] | None, typer.Option(help="Only these forms.")] = None,
) -> None:
    """BFCL's questions: the accepted answer, written in each form of calls, is accepted and comes back equal."""
    from conformance.calls import ALL_FORMS, Outcome, checker_of, questions

    judge, found, shown = checker_of(wheel) if wheel else None, Outcome(), 0
    for question in islice(questions(material.find(material.QUESTIONS), every, start), count):
        found.judge(question, judge, random, form or ALL_FORMS)
        print(*found.faults[shown:], sep="\n", end="\n" * (shown < len(found.faults)), flush=True)
        shown = len(found.faults)
    print(f"{found.questions} questions, {len(found.faults)} faults: {dict(found.counts)}")


@app.command()
def repeats(draws: int = 20, every: Every = 1) -> None:
    """BFCL's parallel questions: how often a model that commits symmetric calls at once repeats one."""
    from conformance.repeats import measured

    for distinct, counts in measured(material.find(material.QUESTIONS), draws, every).items():
        print(f"distinct={distinct}: {counts}")


@app.command()
def gemma(
    count: int = 1000,
    start: int = 0,
    vllm: Annotated[Path | None, typer.Option(help="The wheel of vllm, whose reader judges.")] = None,
    sglang: Annotated[Path | None, typer.Option(help="The wheel of sglang, whose reader judges.")] = None,
) -> None:
    """Random outputs in Gemma's form of calls, read by us, by jsonschema, and by the readers of vLLM and SGLang."""
    from conformance.gemma import judged, reader_of
    from conformance.noisy_calls import vocabulary

    wheels = {"vllm": vllm, "sglang": sglang}
    readers = {name: reader_of(wheel, name) for name, wheel in wheels.items() if wheel}
    print(judged(vocabulary("gemma"), count, readers, start))


@app.command()
def qwen(
    count: int = 1000,
    start: int = 0,
    vllm: Annotated[Path | None, typer.Option(help="The wheel of vllm, whose reader judges.")] = None,
    sglang: Annotated[Path | None, typer.Option(help="The wheel of sglang, whose reader judges.")] = None,
) -> None:
    """Random outputs in Qwen3-Coder's form of calls, read by us, by jsonschema, and by vLLM's and SGLang's readers."""
    from conformance.noisy_calls import vocabulary
    from conformance.qwen import READERS, judged

    wheels = {"vllm": vllm, "sglang": sglang}
    readers = {name: READERS[name](wheel) for name, wheel in wheels.items() if wheel}
    print(judged(vocabulary("qwen_xml"), count, readers, start))


def maskbench_groups(every: int, start: int) -> Iterator[Group]:
    """MaskBench's schemas, or a usage error where they are absent."""
    if not MASKBENCH.exists():
        raise typer.BadParameter(
            f"MaskBench is not here and in no package: put {MASKBENCH.name} into {material.shown(MASKBENCH.parent)}"
        )
    return all_of_maskbench(every, start)


def _judged(
    suite: str,
    groups: Iterable[Group],
    automaton: bool,
    tokenizer: Path | None,
    update: bool,
    terms: Terms = SPECIFIED,
) -> None:
    compiled = ByTokens(tokenizer) if tokenizer else by_automaton if automaton else by_grammar
    verdicts: list[tuple[str, Verdict]] = []
    for group in groups:
        verdict = judge(group, compiled, terms=terms)
        verdicts.append((group.name, verdict))
        if verdict.rank in SHOWN:
            print(f"{group.name}: {verdict}", flush=True)
        if len(verdicts) % OFTEN == 0:
            print(f"{len(verdicts)} schemas: {dict(Counter(v.rank for _, v in verdicts))}", flush=True)
    counts = Counter(verdict.rank for _, verdict in verdicts)
    right = counts["right"] + counts["reordered"]
    compiling = sum(number for rank, number in counts.items() if rank not in NOT_COMPILED)
    print(f"{suite}: {compiling} of {len(verdicts)} compile ({100 * compiling / len(verdicts):.1f} %)")
    print(f"{right} are right ({100 * right / len(verdicts):.1f} %), {dict(counts)}")
    print(
        f"schemas of which a valid instance is rejected: {counts['reordered']} for the order of members, "
        f"{counts['undeclared']} for members or types that are not declared, {counts['rejects']} for other reasons"
    )
    reasons = Counter(_reason(verdict) for _, verdict in verdicts if verdict.rank == "refused")
    for reason, number in reasons.most_common():
        print(f"  {number:4}  {reason}")
    if (terms.additional, terms.unknown, terms.order) != READ:
        return
    print(*ratchet.worse(suite, verdicts), sep="\n")
    if update:
        ratchet.record(suite, verdicts)


def _reason(verdict: Verdict) -> str:
    """A refusal without what is particular to one schema."""
    return re.sub(r"\(at .*|'[^']*'|\d+", "", verdict.reason)[:90]


if __name__ == "__main__":
    app()
