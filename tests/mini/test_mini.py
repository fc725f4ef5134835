"""The embedded model's laws: distributions, indifference to padding, a loss that agrees with its logits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer

from structgen_mini import Lexicon, Mini, MiniConfig, MiniDenoiser, mini_folder

CONFIG = MiniConfig(vocabulary=50, width=32, heads=2, encoder_layers=2, decoder_layers=2)


@pytest.fixture
def model() -> Mini:
    torch.manual_seed(0)
    return Mini(CONFIG).eval()


@pytest.fixture
def prompt() -> torch.Tensor:
    return torch.randint(3, 50, (2, 11), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def canvas() -> torch.Tensor:
    return torch.randint(2, 50, (2, 17), generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def test_log_probs_are_normalised(model: Mini, prompt: torch.Tensor, canvas: torch.Tensor) -> None:
    scores = model.logits(model.encode(prompt), canvas)
    assert scores.shape == (2, 17, 50)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores.logsumexp(-1), torch.zeros(2, 17), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_padding_the_prompt_changes_nothing(model: Mini, prompt: torch.Tensor, canvas: torch.Tensor) -> None:
    padded = torch.nn.functional.pad(prompt, (0, 9))
    torch.testing.assert_close(
        model.logits(model.encode(padded), canvas),
        model.logits(model.encode(prompt), canvas),
        atol=1e-5,
        rtol=1e-5,
    )


@torch.inference_mode()
def test_training_and_serving_see_one_distribution(
    model: Mini, prompt: torch.Tensor, canvas: torch.Tensor
) -> None:
    memory, targets = model.encode(prompt), canvas.flip(1)
    gathered = model.logits(memory, canvas).gather(2, targets[..., None])[..., 0]
    torch.testing.assert_close(
        model.target_log_probs(memory, canvas, targets, None, torch.full_like(targets, -1))[0],
        gathered,
        atol=1e-4,
        rtol=1e-4,
    )


@torch.inference_mode()
def test_rows_do_not_see_each_other(model: Mini, prompt: torch.Tensor, canvas: torch.Tensor) -> None:
    both = model.logits(model.encode(prompt), canvas)
    alone = model.logits(model.encode(prompt[1:]), canvas[1:])
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_beliefs_that_say_nothing_give_no_hint(model: Mini) -> None:
    flat = torch.full((1, 3, 50), 1 / 50)
    torch.testing.assert_close(model.hint(flat), torch.zeros(1, 3, 32), atol=1e-6, rtol=0)
    certain = torch.nn.functional.one_hot(torch.tensor([[4, 7, 9]]), 50).float()
    torch.testing.assert_close(model.hint(certain)[0], model.embedding.weight[[4, 7, 9]])


@torch.inference_mode()
def test_certain_and_flat_beliefs_give_the_hints_of_the_formula(
    model: Mini, prompt: torch.Tensor, canvas: torch.Tensor
) -> None:
    """What the denoiser tells apart to save work is told as the formula has it."""
    generator = torch.Generator().manual_seed(3)
    beliefs = torch.randn(2, 17, 50, generator=generator).log_softmax(-1)
    beliefs[:, :5] = torch.nn.functional.one_hot(canvas[:, :5], 50).float().log()
    beliefs[:, 5:9] = torch.full((50,), 1 / 50).log()
    denoiser = MiniDenoiser(model, block_length=17)
    context = denoiser.start(prompt.tolist())
    expected = model.logits(context.memory, canvas, model.hint(beliefs.exp()))
    torch.testing.assert_close(denoiser(context, canvas, beliefs), expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_neighbours_vote_along_the_diagonal() -> None:
    model = Mini(replace(CONFIG, reach=1))
    own = torch.zeros(1, 3, 5)
    own[0, 0, 2] = 5.0  # position 0 points at 2, the others at nothing
    votes = torch.tensor([1.0, 0.0]).expand(1, 3, 2)  # everyone listens to the position before
    assert model._voted(own, votes).argmax(-1)[0, :2].tolist() == [2, 3]


class TestWords:
    """Vectors of whole words beside the embeddings of their pieces."""

    LEXICON = Lexicon(
        [b"red", "café".encode(), b"price"],
        [b"", b"r", b"ed", b" ", b"ca", b"f\xc3", b"\xa9", b"Red", b"Price"],
    )

    @pytest.mark.parametrize(
        ("ids", "words"),
        [
            ([1, 2, 3, 1], [1, 1, 0, 0]),  # "red r": a word in two pieces, and none
            ([4, 5, 6], [2, 2, 2]),  # a piece may end inside a character
            ([7, 8], [1, 3]),  # "RedPrice": camel case
            ([1, 2, 0, 0], [1, 1, 0, 0]),  # padding
            ([8, 2], [0, 0]),  # "Priceed" is neither
        ],
    )
    def test_each_token_has_the_word_it_begins_in(self, ids: list[int], words: list[int]) -> None:
        assert self.LEXICON.of(ids) == words

    def test_the_embedded_lexicon_goes_with_the_tokenizer(self) -> None:
        lexicon, tokenizer = (
            Lexicon.read(mini_folder()),
            Tokenizer.from_file(str(mini_folder() / "tokenizer.json")),
        )
        read = tokenizer.encode("deliveryCity: Rotterdam, 12 kg Größe")
        known = {index: word.decode() for word, index in lexicon.index.items()}
        named = [known.get(index) for index in lexicon.of(read.ids)]
        for word in ("delivery", "city", "rotterdam"):
            assert (
                "".join(token for token, name in zip(read.tokens, named, strict=True) if name == word).lower()
                == word
            )
        assert {name for token, name in zip(read.tokens, named, strict=True) if not token.isalpha()} == {None}

    @torch.inference_mode()
    def test_a_vector_changes_what_is_read_once_there_is_a_use_for_it(self, prompt: torch.Tensor) -> None:
        torch.manual_seed(0)
        model = Mini(replace(CONFIG, words=4, word_width=8)).eval()
        model.words[1:] = torch.randn(3, 8)
        words = torch.tensor([[0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0]] * 2)
        plain = model.encode(prompt).pointer_keys
        assert torch.equal(model.encode(prompt, words).pointer_keys, plain)  # untrained, it has none
        torch.nn.init.normal_(model.meaning.weight)
        assert not torch.allclose(model.encode(prompt, words).pointer_keys, plain)
        nothing = model.encode(prompt, torch.zeros_like(words)).pointer_keys
        assert torch.equal(nothing, plain)

    def test_a_lexicon_of_another_model_is_refused(self) -> None:
        with pytest.raises(ValueError, match="vectors of 4 words, the lexicon has 0"):
            MiniDenoiser(Mini(replace(CONFIG, words=4)))
