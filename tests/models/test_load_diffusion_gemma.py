"""`sg.load` of a DiffusionGemma folder, and of names on the Hugging Face Hub; nothing here goes online."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import structgen as sg
from structgen.integrations.answers import vocabulary_of
from structgen_engine.decoding.loop import StepEvent
from tiny_gemma import CANVAS, HEAD, SPECIAL, needs_transformers

NAME = "google/diffusiongemma-26B-A4B-it"


@pytest.fixture(scope="module")
def loaded(checkpoint: Path) -> sg.Model:
    return sg.load(checkpoint, device="cpu")


def test_the_verbs_work(loaded: sg.Model) -> None:
    events: list[StepEvent] = []
    source = sg.Regex(r"[a-z]{3,9}-(yes|no)")
    done = loaded.generate("Is it?", source, details=True, on_step=events.append)
    assert sg.compile(source).accepts(done.text)
    assert len(events) == done.steps <= 4 * done.blocks  # generation_config.json says four
    opening = loaded.vocabulary.encode("<|channel>thought\n<channel|>", special=True)
    assert list(done.ids[: len(opening)]) == opening
    person = loaded.extract("Ann is 7.", {"type": "object", "properties": {"n": {"type": "integer"}}})
    assert isinstance(person, dict)
    assert loaded.choose("Is it?", ["yes", "no"]).value in ("yes", "no")


def test_the_same_seed_gives_the_same_answer(loaded: sg.Model) -> None:
    source = sg.Regex("[a-z]{3,40}")
    first, again, other = (loaded.generate("Say", source, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_prompts_have_the_models_own_form(loaded: sg.Model) -> None:
    assert "".join(loaded.prompts.plain("Hi")) == "<bos><|turn>user\nHi<turn|>\n<|turn>model\n"
    assert loaded.vocabulary.size == HEAD
    assert "<image_soft_token>" not in loaded.vocabulary.special


def test_thinking_is_asked_for_and_is_no_part_of_the_text(checkpoint: Path) -> None:
    model = sg.load(checkpoint, device="cpu", thinking=True)
    assert "<|think|>" in "".join(model.prompts.plain("Hi"))
    done = model.generate("Is it?", sg.Regex("(yes|no)"), details=True, max_tokens=3 * CANVAS, steps=3)
    assert done.value in ("yes", "no")
    assert done.ids.count(SPECIAL.index("<channel|>")) == 1
    assert len(done.ids) > 2 * CANVAS or done.ids[4] != SPECIAL.index("<channel|>")


def test_a_template_that_puts_the_thought_into_the_prompt_leaves_none_to_the_answer(
    checkpoint: Path, tmp_path: Path
) -> None:
    """Both forms are published: with the empty thought in the prompt, and with it on the canvas."""
    folder = shutil.copytree(checkpoint, tmp_path / "old")
    template = folder / "chat_template.jinja"
    opened = template.read_text().replace("<|turn>model\n", "<|turn>model\n<|channel>thought\n<channel|>")
    assert opened != template.read_text()
    template.write_text(opened)
    model = sg.load(folder, device="cpu")
    assert "".join(model.prompts.plain("Hi")).endswith("<|channel>thought\n<channel|>")
    done = model.generate("Is it?", sg.Regex("(yes|no)"), details=True, steps=2)
    assert done.value == model.vocabulary.decode(done.ids).decode()
    assert SPECIAL.index("<|channel>") not in done.ids
    transformers = needs_transformers()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert vocabulary_of(model.denoiser.model, tokenizer).preface is None
    assert vocabulary_of(model.denoiser.model, tokenizer, thinking=True).preface is None


def test_a_device_map_and_a_dtype(checkpoint: Path) -> None:
    pytest.importorskip("accelerate", reason="needs accelerate")
    model = sg.load(checkpoint, device_map={"": "cpu"}, dtype="bfloat16")
    assert sg.compile(sg.Regex("[ab]{3}")).accepts(model.generate("Say", sg.Regex("[ab]{3}"), steps=2))


def test_a_quantised_checkpoint_that_cannot_be_read_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint, tmp_path / "packed")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "modelopt", "quant_algo": "NVFP4"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        sg.ModelNotFound, match=r"quantised with 'modelopt', which transformers .* does not read"
    ):
        sg.load(folder, device="cpu")


def test_a_checkpoint_that_lacks_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """transformers only warns, and runs with random ones in their place."""
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint, tmp_path / "holes")
    weights = load_file(folder / "model.safetensors")
    lost = [name for name in weights if "experts.down_proj" in name]
    assert lost
    kept = {name: weight for name, weight in weights.items() if name not in lost}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(sg.ModelNotFound, match=r"it lacks \d+ weights, .*experts.down_proj"):
        sg.load(folder, device="cpu")


class TestHub:
    """Names of the form owner/name, with a Hub that answers as it is told to."""

    @pytest.fixture
    def hub(self, monkeypatch: pytest.MonkeyPatch, checkpoint: Path) -> list[Any]:
        """What was asked for; put an exception in front to have it raised."""
        import huggingface_hub

        answers: list[Any] = []

        def answer(name: str, *path: str, **options: Any) -> str:
            if answers and isinstance(answers[0], Exception):
                raise answers.pop(0)
            answers.append((name, *path, options))
            return str(checkpoint)

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", answer)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", answer)
        return answers

    def test_a_model_is_loaded_by_its_name(self, hub: list[Any]) -> None:
        model = sg.load(NAME, device="cpu", revision="main")
        assert model.name == NAME
        config, weights = hub
        assert config == (NAME, "config.json", {"revision": "main"})
        assert weights[0] == NAME
        assert "*.safetensors" in weights[1]["allow_patterns"]

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            ("GatedRepoError", "is gated: accept its terms"),
            ("RepositoryNotFoundError", "is no model on the Hugging Face Hub"),
            ("RevisionNotFoundError", "is no revision"),
            ("RemoteEntryNotFoundError", "holds no config.json"),
            ("LocalEntryNotFoundError", "cannot be reached and is not in the local cache"),
            ("OfflineModeIsEnabled", "cannot be reached and is not in the local cache"),
        ],
    )
    def test_a_refusal_is_one_sentence(self, hub: list[Any], error: str, sentence: str) -> None:
        from huggingface_hub import errors

        kind = getattr(errors, error)
        hub.append(kind.__new__(kind, "refused"))
        with pytest.raises(sg.ModelNotFound, match=f"^{NAME} {sentence}") as refusal:
            sg.load(NAME)
        assert "\n" not in str(refusal.value)

    def test_what_is_no_name_is_not_looked_up(self, hub: list[Any]) -> None:
        for path in ("./models/none", "a/b/c", "nowhere", Path("owner/name")):
            with pytest.raises(sg.ModelNotFound, match="no model folder"):
                sg.load(path)
        assert hub == []
