"""Attention against torch's own, and what positions must and must not change."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kinesics.nn.attention import Attention, Block, DropPath, TimeEmbedding, alibi, rotary  # noqa: E402


def _by_torch(mine: Attention, x, context=None, bias=None):
    """torch's MultiheadAttention with the same weights."""
    width = x.shape[-1]
    inner = mine.key_value.in_features
    other = torch.nn.MultiheadAttention(
        width, mine.heads, bias=True, batch_first=True, kdim=inner, vdim=inner
    )
    k, v = mine.key_value.weight.chunk(2)
    with torch.no_grad():
        if inner == width:
            other.in_proj_weight.copy_(torch.cat([mine.query.weight, k, v]))
        else:
            other.q_proj_weight.copy_(mine.query.weight)
            other.k_proj_weight.copy_(k)
            other.v_proj_weight.copy_(v)
        other.in_proj_bias.copy_(torch.cat([mine.query.bias, mine.key_value.bias]))
        other.out_proj.load_state_dict(mine.out.state_dict())
    context = x if context is None else context
    mask = None if bias is None else bias.repeat(len(x), 1, 1)
    return other(x, context, context, attn_mask=mask)[0]


@pytest.mark.parametrize("inner", [None, 20])
@pytest.mark.parametrize("biased", [False, True])
def test_attention_is_torchs(inner, biased):
    mine = Attention(32, 4, context=inner, bias=True)
    torch.nn.init.normal_(mine.query.bias)
    torch.nn.init.normal_(mine.key_value.bias)
    x = torch.randn(3, 7, 32)
    context = None if inner is None else torch.randn(3, 7, inner)
    bias = alibi(4, 7) if biased else None
    torch.testing.assert_close(
        mine(x, context, bias=bias), _by_torch(mine, x, context, bias), atol=1e-5, rtol=1e-4
    )


def test_rotary_products_depend_on_distance_alone():
    q, k = torch.randn(2, 1, 8).expand(2, 20, 8)
    scores = rotary(q) @ rotary(k).T
    for offset in (-7, 0, 3):
        line = torch.diagonal(scores, offset)
        torch.testing.assert_close(line, line[:1].expand_as(line), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(scores[0, 0], scores[0, 5])


def test_rotary_keeps_lengths_and_leaves_the_first_place_alone():
    x = torch.randn(2, 5, 16)
    torch.testing.assert_close(rotary(x).norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(rotary(x)[:, 0], x[:, 0])


def test_rotary_by_hand():
    # one pair of features: the place is the angle
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    c, s = torch.cos(torch.arange(3.0)), torch.sin(torch.arange(3.0))
    wanted = torch.stack([torch.stack([c[0], s[0]]), torch.stack([c[1], s[1]]), torch.stack([-s[2], c[2]])])
    torch.testing.assert_close(rotary(x), wanted)


def test_alibi_by_hand():
    bias = alibi(2, 3)
    wanted = torch.tensor([[0.0, 1, 2], [1, 0, 1], [2, 1, 0]])
    torch.testing.assert_close(bias[0], -wanted / 16)
    torch.testing.assert_close(bias[1], -wanted / 256)
    periodic = alibi(1, 5, period=2)[0, 0]
    torch.testing.assert_close(periodic, torch.tensor([0.0, 0, -1, -1, -2]) / 256)


def test_what_is_shut_out_changes_nothing():
    layer = Attention(16, 2)
    bias = torch.zeros(2, 6, 6)
    bias[:, :, 4:] = float("-inf")
    x = torch.randn(1, 6, 16)
    changed = x.clone()
    changed[:, 4:] += 5
    torch.testing.assert_close(layer(x, bias=bias)[:, :4], layer(changed, bias=bias)[:, :4])


def test_a_block_without_positions_does_not_care_for_order_and_one_with_does():
    x, order = torch.randn(2, 6, 16), torch.tensor([3, 1, 5, 0, 2, 4])
    for turned in (False, True):
        block = Block(16, 2, 32, rotary=turned)
        same = torch.allclose(block(x)[:, order], block(x[:, order]), atol=1e-5)
        assert same is not turned


def test_dropped_paths_keep_the_mean_and_are_whole_samples():
    drop, x = DropPath(0.25), torch.ones(4000, 3)
    made = drop(x)
    torch.testing.assert_close(made.unique(), torch.tensor([0.0, 4 / 3]))
    assert (made == made[:, :1]).all()
    assert made.mean().item() == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(drop.eval()(x), x)


def test_the_extra_time_counts_for_nothing_until_it_is_learnt():
    layer = TimeEmbedding(16, scale=1000.0, extra=True)
    t = torch.linspace(0, 1, 5)
    torch.testing.assert_close(layer(t, torch.rand(5)), layer(t))
    torch.nn.init.normal_(layer.extra.weight)
    assert not torch.allclose(layer(t, torch.rand(5)), layer(t))


def test_scaled_times_can_be_told_apart():
    t = torch.linspace(0, 1, 50)
    near = torch.cdist(TimeEmbedding(64).waves(t), TimeEmbedding(64).waves(t))
    far = torch.cdist(TimeEmbedding(64, scale=1000.0).waves(t), TimeEmbedding(64, scale=1000.0).waves(t))
    off = ~torch.eye(50, dtype=torch.bool)
    assert far[off].min() > 10 * near[off].min()
