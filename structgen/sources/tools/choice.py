"""Which tools a reply may call: `tool_choice` in OpenAI's spelling, in Anthropic's, or as a plain string.

"auto", "required", "none"                                   a mode; with all tools
"get_weather"                                                the tool of this name, which must be called
{"type": "function", "function": {"name": "get_weather"}}    the same; a custom tool has "custom" in place of "function"
{"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", …}]}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from structgen.errors import InvalidOption

Mode = Literal["auto", "required", "none"]
MODES: dict[str, Mode] = {"auto": "auto", "required": "required", "none": "none", "any": "required"}
NAMING = ("function", "custom", "tool")  # types of a choice that names one tool; the last is Anthropic's
SPELLINGS = '"auto", "required", "none", a tool\'s name, or {"type": "function", "function": {"name": …}}'


@dataclass(frozen=True)
class ToolChoice:
    """Whether a reply must, may or must not call tools.

    mode: "auto" calls or answers, "required" calls, "none" answers
    names: of the tools that may be called, None for all; named: whether the choice is one tool by its name
    """

    mode: Mode = "auto"
    names: tuple[str, ...] | None = None
    named: bool = False

    def allows(self, name: str) -> bool:
        """Whether the tool may be called."""
        return self.mode != "none" and (self.names is None or name in self.names)


def read_choice(given: Any, names: Sequence[str]) -> ToolChoice:
    """The choice that is given, among tools of these names. Raises InvalidOption with the place of the fault."""
    if isinstance(given, ToolChoice):
        return given
    if isinstance(given, str):
        if given in MODES and given not in set(names) - {"auto", "required", "none"}:
            return ToolChoice(MODES[given])
        if given in names:
            return ToolChoice("required", (given,), named=True)
        known = ", ".join(map(repr, ("auto", "required", "none", *names)))
        raise InvalidOption(f"tool_choice must be one of {known}, not {given!r:.80}")
    if not isinstance(given, Mapping):
        raise InvalidOption(f"tool_choice must be {SPELLINGS}, not {given!r:.80}")
    return _of_object(given, names)


def _of_object(given: Mapping[str, Any], names: Sequence[str]) -> ToolChoice:
    kind = given.get("type")
    if kind == "allowed_tools":
        return _allowed(given, names)
    if kind in NAMING:
        return ToolChoice("required", (_name(given, names, "tool_choice"),), named=True)
    if isinstance(kind, str) and kind in MODES:
        return ToolChoice(MODES[kind])
    _refused("tool_choice/type" if "type" in given else "tool_choice", kind if "type" in given else given)


def _allowed(given: Mapping[str, Any], names: Sequence[str]) -> ToolChoice:
    """Several tools by name, and the mode."""
    at, inside = "tool_choice", given
    if "allowed_tools" in given:
        at, inside = "tool_choice/allowed_tools", given["allowed_tools"]
    if not isinstance(inside, Mapping):
        _refused(at, inside, "an object with a mode and tools")
    mode, tools = inside.get("mode", "auto"), inside.get("tools")
    if mode not in ("auto", "required"):
        _refused(f"{at}/mode", mode, '"auto" or "required"')
    if not isinstance(tools, list | tuple) or not tools:
        _refused(f"{at}/tools", tools, "a list of at least one tool")
    found = [_name(tool, names, f"{at}/tools/{index}") for index, tool in enumerate(tools)]
    return ToolChoice(mode, tuple(dict.fromkeys(found)))


def _name(given: Any, names: Sequence[str], at: str) -> str:
    """The name of a tool in a choice, in either of OpenAI's forms."""
    inside = given
    if isinstance(given, Mapping):
        part = next((kind for kind in NAMING if isinstance(given.get(kind), Mapping)), None)
        inside, at = (given, f"{at}/name") if part is None else (given[part], f"{at}/{part}/name")
    name = inside.get("name") if isinstance(inside, Mapping) else inside
    if not isinstance(name, str):
        _refused(at, name, "the name of a tool")
    if name not in names:
        raise InvalidOption(
            f"{at}: there is no tool {name!r:.80}; the tools are {', '.join(map(repr, names)) or 'none'}"
        )
    return name


def _refused(at: str, given: Any, expected: str = SPELLINGS) -> NoReturn:
    instead = "and it is missing" if given is None else f"not {given!r:.80}"
    raise InvalidOption(f"{at} must be {expected}, {instead}")
