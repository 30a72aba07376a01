"""Networks over pictures: as large as published, and time is not the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kinesics.nn.vision import MobileNetV2, MouthFilm, MouthPictures, ResNet50, unlike  # noqa: E402


def count(net) -> int:
    return sum(p.numel() for p in net.parameters())


def test_published_networks_have_their_published_sizes():
    # torchvision's mobilenet_v2 (3,504,872) and resnet50 (25,557,032) without their classifiers over 1000 classes
    assert count(MobileNetV2()) == 3_504_872 - (1280 * 1000 + 1000)
    assert count(ResNet50()) == 25_557_032 - (2048 * 1000 + 1000)
    pictures = torch.randint(0, 256, (2, 3, 64, 64)).float()
    for net in (MobileNetV2(), ResNet50()):
        assert net.eval()(pictures).shape == (2, net.WIDTH)


def test_a_film_is_read_in_time_and_pictures_one_by_one():
    film = torch.randint(0, 256, (2, 6, 32, 32)).float()
    other = film.clone()
    other[:, 3] = 255 - other[:, 3]
    for net, near in ((MouthFilm(8), {2, 3, 4}), (MouthPictures(8), {3})):
        net.eval()
        a, b = net(film), net(other)
        assert a.shape == (2, 6, 8)
        changed = {t for t in range(6) if not torch.allclose(a[:, t], b[:, t], atol=1e-5)}
        assert changed == near
        torch.testing.assert_close(net(film[:1]), a[:1], atol=1e-5, rtol=1e-4)


def test_another_light_is_the_same_for_all_of_a_clip():
    film = torch.full((3, 4, 16, 16), 100.0)
    seen = unlike(film)
    assert seen.shape == film.shape
    assert (seen == seen[:, :1, :1, :1]).all()
    assert len(seen[:, 0, 0, 0].unique()) == 3
