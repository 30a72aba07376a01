"""Transformer layers, wav2vec's sizes, and what the readers' losses ask for."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kinesics.nn.attention import alibi  # noqa: E402
from kinesics.nn.readers import AttentiveLips, AttentiveMood, ConvLips, ConvMood, ctc, soft_cross_entropy  # noqa: E402
from kinesics.nn.transformers import PostBlock, Wav2Vec, at_rate, side_by_side  # noqa: E402


def test_the_layer_is_torchs_own():
    ours = PostBlock(16, 4, 32).eval()
    theirs = torch.nn.TransformerEncoderLayer(16, 4, 32, activation="gelu", batch_first=True).eval()
    a = ours.attention
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([a.query.weight, a.key_value.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([a.query.bias, a.key_value.bias]))
        theirs.self_attn.out_proj.load_state_dict(a.out.state_dict())
        theirs.linear1.load_state_dict(ours.enter.state_dict())
        theirs.linear2.load_state_dict(ours.leave.state_dict())
    x, bias = torch.randn(2, 9, 16), alibi(4, 9, period=3)
    torch.testing.assert_close(
        ours(x, bias=bias), theirs(x, src_mask=bias.repeat(2, 1, 1)), atol=1e-5, rtol=1e-5
    )


def test_wav2vec_has_the_published_size():
    # 94,371,712 of the published base model, whose mask embedding (768) is not needed here
    assert sum(p.numel() for p in Wav2Vec().parameters()) == 94_371_712 - 768


def test_wav2vec_gives_fifty_vectors_a_second():
    net = Wav2Vec(32, 1, 4, 64, channels=16).eval()
    with torch.no_grad():
        made = net(torch.randn(2, 16_000))
    assert made.shape == (2, (16_000 - 80) // 320, 32)
    assert at_rate(made, 25).shape == (2, 25, 32)


def test_rates_change_linearly_and_neighbours_stand_side_by_side():
    x = torch.arange(9.0)[None, :, None]
    torch.testing.assert_close(at_rate(x, 5)[0, :, 0], torch.tensor([0.0, 2, 4, 6, 8]))
    frames = torch.arange(12.0).reshape(1, 4, 3)
    assert side_by_side(frames, 2)[0].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


@pytest.mark.parametrize("reader", [ConvLips, AttentiveLips])
def test_lip_readers_give_two_sets_of_scores_a_frame(reader):
    net = reader(60, 15, width=16)
    assert net(torch.randn(2, 64, 60)).shape == (2, 128, 15)


def test_the_attentive_reader_sees_only_what_is_near():
    net = AttentiveLips(4, 5, width=16, depth=1, reach=3).eval()
    x = torch.randn(1, 20, 4)
    changed = x.clone()
    changed[:, 15:] += 1
    a, b = net(x), net(changed)
    torch.testing.assert_close(a[:, :22], b[:, :22])
    assert not torch.allclose(a[:, 30:], b[:, 30:])


def test_ctc_is_low_for_the_right_order_and_passes_over_what_has_no_labels():
    labels, counts = torch.tensor([[3, 1, 2, 0], [1, 0, 0, 0]]), torch.tensor([3, 1])

    def says(*classes: int):
        scores = torch.full((2, 12, 5), -8.0)
        scores[:, :, 0] = 0
        for i, c in enumerate(classes):
            scores[:, 2 + 3 * i, c] = 8
        return scores

    right, wrong = says(3, 1, 2), says(2, 1, 3)
    only = torch.tensor([3, 0])
    assert ctc(right, labels, only) < 0.1 < 3 < ctc(wrong, labels, only)
    assert ctc(right, labels, counts) > ctc(right, labels, only)
    assert ctc(right, labels, torch.zeros(2, dtype=torch.long)) == 0


def test_moods_are_classified_clip_by_clip():
    emotion, level = AttentiveMood(12, 8, 3, width=16, heads=4)(torch.randn(3, 20, 12))
    assert emotion.shape == (3, 8)
    assert level.shape == (3, 3)
    assert ConvMood(12, 8)(torch.randn(3, 20, 12)).shape == (3, 8)
    scores = torch.randn(4, 3)
    label = torch.tensor([0, 2, 1, 1])
    wanted = torch.nn.functional.cross_entropy(scores, label)
    torch.testing.assert_close(
        soft_cross_entropy(scores, torch.nn.functional.one_hot(label, 3).float()), wanted
    )
    # a still clip has no spread, but a gradient nevertheless
    still = torch.zeros(1, 20, 12, requires_grad=True)
    ConvMood(12, 8)(still).sum().backward()
    assert torch.isfinite(still.grad).all()
