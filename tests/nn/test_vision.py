"""Networks over pictures: as large as published, and time is not the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kinesics.nn.vision import MobileNetV2, MouthFilm, MouthPictures, unlike  # noqa: E402


def count(net) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_published_network_has_its_published_size():
    # torchvision's mobilenet_v2 (3,504,872) without its classifier over 1000 classes
    assert count(MobileNetV2()) == 3_504_872 - (1280 * 1000 + 1000)
    pictures = torch.randint(0, 256, (2, 3, 64, 64)).float()
    assert MobileNetV2().eval()(pictures).shape == (2, MobileNetV2.WIDTH)


def test_a_film_is_read_in_time_and_pictures_one_by_one():
    film = torch.randint(0, 256, (2, 6, 32, 32)).float()
    other = film.clone()
    other[:, 3] = 255 - other[:, 3]
    for net, near in (
        (MouthFilm(8, size=32), {2, 3, 4}),
        (MouthFilm(8, size=32, time=1), {3}),
        (MouthPictures(8, size=32), {3}),
    ):
        net.eval()
        a, b = net(film), net(other)
        assert a.shape == (2, 6, 8)
        changed = {t for t in range(6) if not torch.allclose(a[:, t], b[:, t], atol=1e-5)}
        assert changed == near
        torch.testing.assert_close(net(film[:1]), a[:1], atol=1e-5, rtol=1e-4)


def test_another_camera_is_the_same_for_all_of_a_clip():
    torch.manual_seed(0)
    film = torch.full((3, 4, 16, 16), 100.0)
    film[:, :, 8] = 40
    seen = unlike(film)
    assert seen.shape == film.shape
    light = seen[..., :5, :].mean((2, 3))
    assert (light - light[:, :1]).abs().max() < 4, "grain alone differs from picture to picture"
    assert (light[0] - light[1]).abs().min() > 4
    # the dark line is moved by the same pixel in every picture of a clip
    rows = seen.mean(3).argmin(2)
    assert (rows == rows[:, :1]).all()
    assert (rows - 8).abs().max() <= 1
