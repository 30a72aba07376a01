"""Convolutions, quantisers, latents, contrast: shapes, oracles, invariants."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kinesics.nn import contrastive, convs, vae  # noqa: E402
from kinesics.nn.quantise import Codebook, Quantiser  # noqa: E402


def test_encoders_halve_and_decoders_double():
    encode, decode = convs.encoder(5, 16, 8, downs=2), convs.decoder(5, 16, 8, ups=2)
    x = torch.randn(2, 5, 32)
    z = encode(x)
    assert z.shape == (2, 8, 8)
    assert decode(z).shape == x.shape
    assert decode(torch.randn(1, 8, 11)).shape == (1, 5, 44)


def test_speech_frames_lie_in_the_middle_of_their_samples():
    layers = convs.speech_encoder(1, (8, 8), (5, 6)).eval()
    assert layers(torch.randn(2, 1, 600)).shape == (2, 8, 20)
    with torch.no_grad():
        for parameter in layers.parameters():
            if parameter.ndim == 3:
                parameter.fill_(1 / parameter[0].numel())
            elif parameter.ndim == 1 and parameter.mean() != 1:
                parameter.zero_()
    quiet = layers(torch.zeros(1, 1, 1800))
    for frame in (20, 30, 40):
        x = torch.zeros(1, 1, 1800)
        x[0, 0, frame * 30 : (frame + 1) * 30] = 1
        change = (layers(x) - quiet).sum(1)[0]
        place = (change * torch.arange(60)).sum() / change.sum()
        assert abs(place.item() - frame) < 0.1


def test_causal_convolutions_do_not_see_the_future():
    net = convs.Causal(3, (8, 8, 8), kernel=2)
    x = torch.randn(1, 3, 30)
    changed = x.clone()
    changed[..., 20:] += 1
    a, b = net(x), net(changed)
    torch.testing.assert_close(a[..., :20], b[..., :20])
    assert not torch.allclose(a[..., 20], b[..., 20])


def test_what_is_left_over_shrinks_level_by_level():
    torch.manual_seed(1)
    quantiser = Quantiser(6, 32, 4)
    for _ in range(60):
        quantiser(torch.randn(16, 4, 16))
    quantiser.eval()
    x = torch.randn(8, 4, 32)
    made, errors = torch.zeros_like(x), []
    _, _, index = quantiser(x)
    assert index.shape == (6, 8, 32)
    for book, codes in zip(quantiser.books, index, strict=True):
        made = made + book.codes[codes].transpose(1, 2)
        errors.append((x - made).square().mean().item())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1 * errors[0]
    torch.testing.assert_close(quantiser(x)[0], made, atol=1e-5, rtol=1e-4)


def test_codes_settle_on_the_clusters_that_are_there():
    centres = torch.tensor([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    book = Codebook(4, 2, decay=0.9)
    for _ in range(200):
        book(centres[torch.randint(4, (64,))] + 0.1 * torch.randn(64, 2))
    nearest = torch.cdist(centres, book.codes)
    assert nearest.min(1).values.max() < 0.2
    assert sorted(nearest.argmin(1).tolist()) == [0, 1, 2, 3]


def test_dead_codes_come_back():
    book = Codebook(8, 2, decay=0.9)
    book(torch.randn(64, 2))
    with torch.no_grad():
        book.codes[3:] = book.sums[3:] = 1e6
    for _ in range(80):
        book(torch.randn(64, 2))
    assert book.codes.abs().max() < 10
    used = torch.bincount(book.eval()(torch.randn(2000, 2))[1], minlength=8)
    assert (used > 0).all()


def test_quantising_lets_gradients_straight_through_and_evaluation_changes_nothing():
    quantiser = Quantiser(2, 8, 3)
    x = torch.randn(2, 3, 5, requires_grad=True)
    made, commit, _ = quantiser(x)
    (made * 2).sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 2.0))
    assert commit > 0
    before = {n: v.clone() for n, v in quantiser.state_dict().items()}
    quantiser.eval()(torch.randn(4, 3, 9))
    assert all(torch.equal(v, before[n]) for n, v in quantiser.state_dict().items())


def test_level_dropout_uses_fewer_levels_only_in_training():
    quantiser = Quantiser(4, 8, 3, dropout=1.0)
    used = {len(quantiser(torch.randn(4, 3, 8))[2]) for _ in range(60)}
    assert used == {1, 2, 3, 4}
    assert len(quantiser.eval()(torch.randn(4, 3, 8))[2]) == 4


def test_divergence_is_torchs():
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    one = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    wanted = torch.distributions.kl_divergence(one, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(vae.kl_to_standard(mean, log_variance), wanted)


def test_latents_are_drawn_in_training_and_are_the_mean_afterwards():
    head = vae.Gaussian(4, 2)
    torch.nn.init.zeros_(head.log_variance.weight)
    torch.nn.init.constant_(head.log_variance.bias, math.log(0.25))
    z, mean, _ = head(torch.ones(20000, 4))
    assert (z - mean).std().item() == pytest.approx(0.5, rel=0.05)
    z, mean, _ = head.eval()(torch.ones(3, 4))
    torch.testing.assert_close(z, mean)


def test_contrast_is_a_cross_entropy_both_ways():
    a, b = torch.randn(6, 5), torch.randn(6, 5)
    x = a.numpy() / np.linalg.norm(a, axis=1, keepdims=True)
    y = b.numpy() / np.linalg.norm(b, axis=1, keepdims=True)
    scores = x @ y.T / 0.2

    def entropy(s):
        return np.mean(np.log(np.exp(s).sum(1)) - np.diag(s))

    wanted = (entropy(scores) + entropy(scores.T)) / 2
    assert contrastive.info_nce(a, b, temperature=0.2).item() == pytest.approx(wanted, rel=1e-5)


def test_false_negatives_do_not_count_and_extra_rows_only_one_way():
    a = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    b = a.clone()
    b[1] = a[0]  # the second means what the first does
    alike = torch.zeros(4, 4, dtype=torch.bool)
    alike[0, 1] = alike[1, 0] = True
    assert contrastive.info_nce(a, b, alike=alike) < contrastive.info_nce(a, b)
    # one's own partner is never shut out
    everything = torch.ones(4, 4, dtype=torch.bool)
    assert contrastive.info_nce(a, a, alike=everything).item() == pytest.approx(0, abs=1e-6)
    harder = contrastive.info_nce(a, a, extra=a + 0.05 * torch.randn(4, 8))
    assert harder > contrastive.info_nce(a, a)
