"""The runtime: names, shapes, and files that are no networks."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

pytest.importorskip("openvino")
onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402

from kinesics.errors import DataError, FormatError  # noqa: E402
from kinesics.ports.network import load_network  # noqa: E402


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """y = x · w + b over any number of rows, and x's square beside it."""
    weight = np.arange(6, dtype=np.float32).reshape(3, 2)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["product"]),
            helper.make_node("Add", ["product", "b"], ["y"]),
            helper.make_node("Mul", ["x", "x"], ["square"]),
        ],
        "toy",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3]),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, [2]),
        ],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2]),
            helper.make_tensor_value_info("square", TensorProto.FLOAT, ["rows", 3]),
        ],
        [helper.make_tensor("w", TensorProto.FLOAT, [3, 2], weight.ravel())],
    )
    path = tmp_path_factory.mktemp("net") / "toy.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_a_network_computes_by_name(file):
    net = load_network(file)
    assert net.inputs == {"x": (np.dtype("f4"), (None, 3)), "b": (np.dtype("f4"), (2,))}
    assert set(net.outputs) == {"y", "square"}
    assert net.hash == hashlib.sha256(file.read_bytes()).hexdigest()
    x = np.arange(12.0).reshape(4, 3)
    made = net(x=x, b=np.array([1, -1]))
    np.testing.assert_allclose(made["y"], x @ np.arange(6).reshape(3, 2) + [1, -1], rtol=1e-6)
    np.testing.assert_allclose(made["square"], x**2)
    kept = made["y"].copy()
    net(x=x + 1, b=np.zeros(2))
    np.testing.assert_array_equal(made["y"], kept)


def test_outputs_that_are_not_wanted_are_not_computed(file):
    net = load_network(file, outputs=["square"])
    assert list(net.outputs) == ["square"]
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(net(x=x, b=np.zeros(2))["square"], x**2)
    with pytest.raises(DataError, match=r"unknown output of toy\.onnx 'z'; choose one of: y, square"):
        load_network(file, outputs=["z"])


def test_f32_unless_asked(file):
    assert load_network(file).precision == "f32"
    assert load_network(file, fast=True).precision == "bf16"
    x = np.full((2, 3), 1.0009765625, np.float32)
    exact = x @ np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_array_equal(load_network(file)(x=x, b=np.zeros(2))["y"], exact)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": np.zeros((2, 3))}, "inputs b do not fit; it takes: x, b"),
        ({"x": np.zeros((2, 3)), "b": np.zeros(2), "c": np.zeros(2)}, "inputs c do not fit"),
        ({"x": np.zeros((2, 4)), "b": np.zeros(2)}, r"x has shape \(2, 4\); expected \(any, 3\)"),
        ({"x": np.zeros(3), "b": np.zeros(2)}, r"x has shape \(3,\)"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(file, inputs, message):
    with pytest.raises(DataError, match=message) as error:
        load_network(file)(**inputs)
    assert "\n" not in str(error.value)


def test_files_that_are_no_networks_are_format_errors(file, tmp_path):
    data = file.read_bytes()
    bad = tmp_path / "bad.onnx"
    for piece in (
        b"",
        b"hello",
        data[: len(data) // 2],
        data[:-1],
        bytes(len(data)),
        b"<?xml version='1.0'?><net/>",
    ):
        bad.write_bytes(piece)
        with pytest.raises(FormatError) as error:
            load_network(bad)
        assert "\n" not in str(error.value)
    with pytest.raises(FormatError, match="found nothing"):
        load_network(tmp_path / "absent.onnx")
