"""Surface forms: how families of models write tool calls.

A form has its own spelling of values, and the frame around a call. The same writer of schemas spells the arguments in
every form, so every keyword of JSON Schema holds in each.
"""

from collections.abc import Container

from structgen.errors import InvalidOption

from .form import CallForm
from .gemma import Gemma
from .harmony import Harmony
from .hermes import Hermes
from .qwen_xml import QwenXml

JSON_FORM = "json"
CALL_FORMS: dict[str, CallForm] = {form.name: form for form in (Gemma(), Harmony(), Hermes(), QwenXml())}


def family_form(special: Container[str], template: str = "") -> str:
    """The form of the family of models with these special tokens and this chat template; JSON's if there is none."""
    fitting = [form for form in CALL_FORMS.values() if all(name in special for name in form.markup)]
    fitting = [form for form in fitting if form.sign in template]
    return max(fitting, key=lambda form: len(form.sign)).name if fitting else JSON_FORM


def form_of(name: object) -> CallForm | None:
    """The form of this name, None for JSON's. Raises InvalidOption if there is none."""
    if name == JSON_FORM:
        return None
    if not isinstance(name, str) or name not in CALL_FORMS:
        known = ", ".join(map(repr, (JSON_FORM, *CALL_FORMS)))
        raise InvalidOption(f"form must be one of {known}, not {name!r:.80}")
    return CALL_FORMS[name]


__all__ = ["CALL_FORMS", "JSON_FORM", "CallForm", "family_form", "form_of"]
