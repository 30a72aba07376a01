"""Causal language models, splicing and adapters: sizes as published, and nothing seen of what comes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kinesics.nn import language  # noqa: E402
from kinesics.nn.language import CausalBlock, CausalLM, LowRank, splice  # noqa: E402
from kinesics.nn.vision_transformer import VisionTransformer  # noqa: E402


def size(module):
    return sum(p.numel() for p in module.parameters())


def test_it_has_vicunas_size():
    with torch.device("meta"):
        assert size(CausalLM(32000, 4096, 32, 32, 11008)) == 6_738_415_616


def test_the_eyes_have_dinov2s_size():
    with torch.device("meta"):
        made = size(VisionTransformer(224, 14, 1024, 24, 16, 4096))
    # published at 518 px: 304,368,640, with places for 1369 tokens where 224 px have 256, and a mask token
    assert made == 304_368_640 - (1369 - 256) * 1024 - 1024


def test_eyes_give_a_row_for_each_patch():
    with torch.no_grad():
        assert VisionTransformer(28, 14, 16, 1, 2, 32)(torch.randn(2, 3, 28, 28)).shape == (2, 4, 16)


def test_nothing_is_known_of_what_comes():
    model = CausalLM(11, 16, 2, 4, 32).eval()
    x = torch.randn(2, 7, 16)
    later = x.clone()
    later[:, 4:] = torch.randn(2, 3, 16)
    with torch.no_grad():
        a, b = model(x), model(later)
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert (a[:, 4:] - b[:, 4:]).abs().max() > 0.1


def test_order_matters():
    block, x = CausalBlock(16, 4, 32).eval(), torch.randn(1, 5, 16)
    turned = x[:, [1, 0, 2, 3, 4]]
    with torch.no_grad():
        assert (block(x)[:, 4] - block(turned)[:, 4]).abs().max() > 1e-4


def test_rows_take_the_places_of_placeholders_in_order():
    ids = torch.tensor([[9, 1, 9, 2], [3, 9, 4, 5]])
    rows = torch.arange(1, 5.0).reshape(2, 2, 1)
    made = splice(torch.zeros(2, 4, 1), ids, rows, 9)
    assert made[..., 0].tolist() == [[1, 0, 2, 0], [0, 3, 0, 0]]
    assert splice(torch.ones(1, 2, 1), torch.tensor([[1, 2]]), rows[:1], 9).tolist() == [[[1], [1]]]


def test_only_what_is_said_is_learnt():
    scores = torch.full((1, 3, 5), -20.0)
    scores[0, 0, 2] = scores[0, 1, 4] = 20.0
    assert language.next_token_loss(scores, torch.tensor([[0, 2, 4]])) < 1e-6
    assert language.next_token_loss(scores, torch.tensor([[0, language.UNSAID, 4]])) < 1e-6
    assert language.next_token_loss(scores, torch.tensor([[0, 3, language.UNSAID]])) > 30


def test_adapters_begin_as_nothing_and_are_all_that_moves():
    model = CausalLM(11, 16, 2, 4, 32).eval()
    x = torch.randn(2, 7, 16)
    with torch.no_grad():
        before = model(x)
    language.adapt(model, ("query", "value"), rank=2, alpha=4.0)
    assert sum(isinstance(m, LowRank) for m in model.modules()) == 4
    own = list(language.adapters(model))
    assert sum(p.numel() for p in own) == 4 * 2 * (16 + 16)
    assert {id(p) for p in model.parameters() if p.requires_grad} == {id(p) for p in own}
    torch.testing.assert_close(model(x), before)
    model(x)[..., 0].sum().backward()
    torch.optim.SGD(own, lr=0.1).step()
    assert (model(x) - before).abs().max() > 1e-4
