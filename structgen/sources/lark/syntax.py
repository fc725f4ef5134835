"""Reading a grammar in Lark's notation into its definitions. A rule ends with its line, unless `|` follows."""

from __future__ import annotations

from ..place import Place
from .attributes import AttributeReader
from .directives import grammar_options, imported, pieces
from .items import char_range, repetition, special_token, text
from .nodes import (
    AllOf,
    Attributes,
    Complement,
    Given,
    Inner,
    InOrder,
    Json,
    LarkDefinition,
    LarkTree,
    NamedPart,
    OneOf,
    Pieces,
    Slashed,
    Times,
    Written,
    is_terminal,
)
from .scanner import Scanner
from .words import WordStream

DEEPEST = 110  # groups and grammars inside one another; each takes some calls of the interpreter
ITEMS = frozenset(("name", "string", "regex", "special", "given"))
OPENING = frozenset("([~")
TEMPLATES = ("Lark templates are not supported", "write a rule of its own for each use")
PARAMETERS = ("parametric grammar is not supported", "write a rule of its own for each value")


def read(source: str) -> LarkTree:
    """The grammar that a source contains."""
    return GrammarTreeReader(WordStream(Scanner(source)), 0).tree(Place(source, 0))


class GrammarTreeReader(AttributeReader):
    """A recursive-descent parser over the words of one grammar, which may stand inside another."""

    def __init__(self, words: WordStream, depth: int):
        self.words, self.depth = words, depth
        self.definitions: dict[str, LarkDefinition] = {}
        self.ignored: list[Written] = []
        self.initial_skip = False

    def tree(self, at: Place, until: str = "") -> LarkTree:
        """The grammar up to its closing brace or its end."""
        words = self.words
        while not words.is_sign(until) if until else words.word.kind != "end":
            if words.word.kind == "newline":
                words.take()
            elif words.word.kind == "directive":
                self._directive()
            elif words.word.kind == "end":
                words.word.wrong("expected '}' after nested Lark grammar", "close it")
            else:
                self._definition()
        return LarkTree(at, self.definitions, tuple(self.ignored), self.initial_skip)

    def _define(self, definition: LarkDefinition) -> None:
        if definition.name in self.definitions:
            raise definition.at.invalid(
                f"duplicate rule or terminal {definition.name!r}", "give one of the two another name"
            )
        self.definitions[definition.name] = definition

    def _definition(self) -> None:
        words = self.words
        while words.is_sign("?", "!"):
            words.take()
        name = words.take()
        if name.kind != "name":
            name.wrong(f"unexpected {name.text!r}", "a rule, name: body, or a directive begins here")
        if words.is_sign("."):
            words.word.wrong("priorities are not supported", "remove it: every reading of a text counts")
        self._check_plain()
        attributes = Attributes()
        if words.is_sign("["):
            if is_terminal(name.text):
                words.word.wrong("attributes are only supported on rules", "write a rule for the terminal")
            attributes = self.attributes(name.text)
        if not words.is_sign(":"):
            words.word.wrong("expected ':' after rule name", f"write {name.text}: and the body")
        words.take()
        self._define(LarkDefinition(name.at, name.text, self.alternatives(), attributes))
        self._end_of_line()

    def _check_plain(self) -> None:
        """Refuse what may stand between a name and its colon in other dialects."""
        if self.words.is_sign("{"):
            self.words.word.wrong(*TEMPLATES)
        if self.words.is_sign("::"):
            self.words.word.wrong(*PARAMETERS)

    def _end_of_line(self) -> None:
        word = self.words.word
        if word.kind in ("newline", "end") or (self.depth and self.words.is_sign("}")):
            return
        if word.kind == "directive" and word.text == "%if":
            word.wrong("parametric %if conditions are not supported", "write the cases as rules")
        if word.kind == "sign" and word.text in ("-", "!"):
            word.wrong(f"unexpected {word.text!r} character", "put it into quotes if it is text")
        word.wrong(f"unexpected {word.text!r}", "put it into quotes if it is text")

    def _directive(self) -> None:
        words, word = self.words, self.words.word
        if word.text == "%ignore":
            words.take()
            self.ignored.append(self.alternatives())
        elif word.text == "%import":
            words.take()
            for definition in imported(words):
                self._define(definition)
        elif word.text in ("%llguidance", "%grammar_options"):
            skip = grammar_options(word, words.json())
            self.initial_skip = self.initial_skip if skip is None else skip
        else:
            known = "the directives are %ignore, %import, %llguidance and %grammar_options"
            word.wrong(f"directive {word.text} is not supported", known)
        self._end_of_line()

    def alternatives(self) -> Written:
        """A body: options separated by |."""
        at = self.words.word.at
        options = [self._option()]
        while self.words.is_sign("|"):
            self.words.take()
            options.append(self._option())
        return options[0] if len(options) == 1 else OneOf(at, tuple(options))

    def _option(self) -> Written:
        """Sequences joined by &, and an alias, which names a tree that nobody builds."""
        words, at = self.words, self.words.word.at
        parts = [self._sequence()]
        while words.is_sign("&"):
            words.take()
            parts.append(self._sequence())
        if words.is_sign("->"):
            words.take()
            if words.word.kind != "name":
                words.word.wrong("expected alias name after '->'", "remove the arrow or name the alternative")
            words.take()
        return parts[0] if len(parts) == 1 else AllOf(at, tuple(parts))

    def _sequence(self) -> Written:
        at, parts = self.words.word.at, list[Written]()
        while self._begins_item():
            parts.append(self._repeated(self._item()))
        return parts[0] if len(parts) == 1 else InOrder(at, tuple(parts))

    def _begins_item(self) -> bool:
        word = self.words.word
        if word.kind == "directive":
            return word.text in ("%json", "%lark", "%regex")
        return word.kind in ITEMS or (word.kind == "sign" and word.text in OPENING)

    def _item(self) -> Written:
        words, word = self.words, self.words.word
        if word.kind == "directive":
            return self._nested()
        if word.kind == "sign":
            return self._complement() if word.text == "~" else self._group()
        words.take()
        if word.kind == "name":
            if words.is_sign("::"):
                words.word.wrong(*PARAMETERS)
            return NamedPart(word.at, word.text)
        if word.kind == "string":
            return char_range(word, words) if words.is_sign("..") else text(word)
        if word.kind == "regex":
            pattern, _, flags = word.text[1:].rpartition("/")
            return Slashed(word.at, pattern, flags)
        return Given(word.at, word.text[1:]) if word.kind == "given" else special_token(word)

    def _complement(self) -> Written:
        tilde = self.words.take()
        self._deeper(tilde.at)
        if not self._begins_item():
            tilde.wrong("expected a terminal after '~'", "write what the text must not be, such as ~/a*/")
        body = Complement(tilde.at, self._item())
        self.depth -= 1
        return body

    def _group(self) -> Written:
        words = self.words
        opening = words.take()
        self._deeper(opening.at)
        words.brackets += 1
        words.skip_newlines()
        body = self.alternatives()
        words.brackets -= 1
        self.depth -= 1
        closing, name = (")", "group") if opening.text == "(" else ("]", "optional group")
        if not words.is_sign(closing):
            words.word.wrong(f"expected {closing!r} after {name}", "close it")
        words.take()
        return body if closing == ")" else Times(opening.at, body, 0, 1)

    def _deeper(self, at: Place) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise at.invalid(f"groups are nested deeper than {DEEPEST}", "write inner ones as rules")

    def _nested(self) -> Written:
        words, word = self.words, self.words.word
        if word.text == "%json":
            return Json(word.at, words.json())
        if word.text == "%regex":
            return Pieces(word.at, pieces(word, words.json()))
        words.take()
        if not words.is_sign("{"):
            words.word.wrong("expected '{' after %lark", "write %lark { start: … }")
        brackets, words.brackets = words.brackets, 0
        words.take()
        self._deeper(word.at)
        tree = GrammarTreeReader(words, self.depth).tree(word.at, "}")
        self.depth -= 1
        words.brackets = brackets
        words.take()
        return Inner(word.at, tree)

    def _repeated(self, body: Written) -> Written:
        words = self.words
        while words.is_sign("?", "*", "+", "{") or (words.is_sign("~") and words.ahead().kind == "number"):
            at = words.word.at
            if words.is_sign("{") and words.ahead().kind == "name":
                words.word.wrong(*TEMPLATES)
            low, high = repetition(words)
            body = Times(at, body, low, high)
        return body
