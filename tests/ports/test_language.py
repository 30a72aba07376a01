"""The port to language models: what is asked, what comes back, what is kept, and what never leaves."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import DataError, FormatError, KinesicsError, MissingExtra
from kinesics.ports import endpoint
from kinesics.ports._schema import check_schema, fault, parsed
from kinesics.ports.endpoint import Endpoint
from kinesics.ports.language import Rules
from kinesics.ports.transformers_folder import TransformersFolder

ASK = [{"role": "user", "content": "Which expression?"}]
SCHEMA = {
    "type": "object",
    "properties": {"label": {"enum": ["happy", "sad"]}, "why": {"type": "string", "maxLength": 20}},
    "required": ["label"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Server:
    """A chat server on the loopback that answers from a script: (status, headers, body) in turn, the last again and again."""

    def __init__(self, script):
        self.seen, outer = [], self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append((self.path, dict(self.headers), json.loads(body)))
                status, headers, answer = script[min(len(outer.seen), len(script)) - 1]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serving():
    """``serving((status, headers, body), …)``: a server that answers so."""
    open_ones = []

    def start(*script):
        open_ones.append(Server(script))
        return open_ones[-1]

    yield start
    for server in open_ones:
        server.close()


def said(text, status=200, **headers):
    return status, headers, json.dumps({"choices": [{"message": {"content": text}}]}).encode()


def asking(server, **options):
    return Endpoint(server.base, "tiny", **{"timeout": 5.0, "pause": 0.01, "key": "", **options})


def test_the_question_goes_out_as_it_was_asked(serving):
    server = serving(said("happy"))
    messages = [{"role": "system", "content": "Be brief."}, *ASK]
    assert asking(server, key="secret").complete(messages, temperature=0.5).text == "happy"
    path, headers, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert body["messages"] == messages
    assert (body["model"], body["temperature"]) == ("tiny", 0.5)


def test_an_answer_is_found_in_prose_and_held_against_the_schema(serving):
    fine = 'Sure!\n```json\n{"label": "sad", "why": "brows"}\n```'
    server = serving(said(fine), said("I think it is sad."), said('{"label": "angry"}'))
    model = asking(server)
    first, second, third = (model.complete(ASK, schema=SCHEMA) for _ in range(3))
    assert first.answer == {"label": "sad", "why": "brows"}
    assert (first.text, first.problem) == (fine, "")
    assert (second.answer, second.text) == (None, "I think it is sad.")
    assert "JSON" in second.problem
    assert "expected one of: happy, sad" in third.problem
    assert (model.asked, model.failed) == (3, 2)
    assert "happy" in server.seen[0][2]["messages"][0]["content"], "the model is told the schema"


def test_replies_are_kept_by_all_that_was_asked(serving, tmp_path):
    server = serving(said("one"), said("two"), said("three"), said("four"))
    model = asking(server, folder=tmp_path)
    assert [model.complete(ASK).text for _ in range(2)] == ["one", "one"]
    assert model.complete(ASK).kept
    assert asking(server, folder=tmp_path).complete(ASK).kept
    assert model.complete(ASK, temperature=0.3).text == "two"
    assert model.complete(ASK, schema=SCHEMA).text == "three"
    assert len(server.seen) == 3
    assert not list(tmp_path.glob(".*")), "no half-written file stays"
    for file in tmp_path.glob("*.json"):
        file.write_text('{"key": "')
    assert model.complete(ASK).text == "four", "what is broken is asked again"


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(serving):
    busy = serving((503, {}, b""), (429, {"Retry-After": "0"}, b""), said("now"))
    assert asking(busy).complete(ASK).text == "now"
    refusing = serving((401, {}, b"wrong key sesame-123"), said("never"))
    with pytest.raises(KinesicsError, match=r"401.*KINESICS_LLM_KEY") as raised:
        asking(refusing, key="sesame-123").complete(ASK)
    assert len(refusing.seen) == 1
    assert "sesame-123" not in str(raised.value)
    failing = serving((500, {}, b"out of memory"))
    with pytest.raises(KinesicsError, match=r"500.*out of memory"):
        asking(failing, retries=2).complete(ASK)
    assert len(failing.seen) == 3


@pytest.mark.parametrize(
    "body",
    [b"not json", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}', b"[" * 9000],
)
def test_what_is_no_reply_is_said_to_be_none(serving, body):
    with pytest.raises(KinesicsError, match="its reply"):
        asking(serving((200, {}, body))).complete(ASK)


def test_a_reply_without_end_is_cut_off(serving, monkeypatch):
    monkeypatch.setattr(endpoint, "_MOST", 1000)
    with pytest.raises(KinesicsError, match="larger than 1000"):
        asking(serving(said("x" * 5000))).complete(ASK)


def test_nobody_there():
    with pytest.raises(KinesicsError, match="no answer in 2 attempts"):
        Endpoint("http://127.0.0.1:9/v1", "tiny", retries=1, pause=0.0, timeout=2.0).complete(ASK)


def test_redirects_are_not_followed(serving):
    other = serving(said("stolen"))
    server = serving((302, {"Location": f"{other.base}/chat/completions"}, b""))
    with pytest.raises(KinesicsError, match="302"):
        asking(server, key="secret").complete(ASK)
    assert not other.seen


def test_pictures_leave_only_when_that_was_said(serving):
    server = serving(said("a face"))
    with pytest.raises(DataError, match="text only"):
        asking(server).complete(ASK, images=[PNG])
    assert not server.seen
    assert asking(server, images=True).complete(ASK, images=[PNG]).text == "a face"
    text, picture = server.seen[0][2]["messages"][0]["content"]
    assert text["text"] == ASK[0]["content"]
    assert picture["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    with pytest.raises(DataError, match="PNG or JPEG"):
        asking(server, images=True).complete(ASK, images=[b"GIF89a"])


def test_a_key_never_goes_unencrypted_to_another_machine(monkeypatch):
    with pytest.raises(DataError, match="over https only"):
        Endpoint("http://example.org/v1", "m", key="secret")
    Endpoint("http://example.org/v1", "m", key="")
    Endpoint("https://example.org/v1", "m", key="secret")
    for bad in ("ftp://example.org", "example.org/v1", "http://user:word@example.org/v1"):
        with pytest.raises(DataError, match="expected http"):
            Endpoint(bad, "m", key="")
    monkeypatch.delenv("KINESICS_LLM_BASE", raising=False)
    assert endpoint.configured() is None
    with pytest.raises(DataError, match="KINESICS_LLM_BASE"):
        Endpoint()
    monkeypatch.setenv("KINESICS_LLM_BASE", "http://localhost:1/v1/")
    monkeypatch.setenv("KINESICS_LLM_MODEL", "from-env")
    assert endpoint.configured().name == "from-env at http://localhost:1/v1"


@pytest.mark.parametrize(
    ("messages", "options", "told"),
    [
        ([], {}, "at least one"),
        ("hello", {}, "at least one"),
        ([{"role": "robot", "content": "x"}], {}, "choose one of: system, user, assistant"),
        ([{"role": "user"}], {}, "role and content"),
        ([{"role": "user", "content": 3}], {}, "expected text"),
        ([{"role": "user", "content": "x" * 400_001}], {}, "ask in parts"),
        (ASK, {"temperature": float("nan")}, "expected 0 to 2"),
        (ASK, {"schema": {"type": "object", "patternProperties": {}}}, "unknown keyword"),
        (ASK, {"schema": {"type": "text"}}, "unknown type"),
    ],
)
def test_questions_that_make_no_sense(messages, options, told):
    with pytest.raises(DataError, match=told):
        Rules(lambda m: "").complete(messages, **options)


def test_rules_answer_offline_and_alike():
    rule = Rules(lambda messages: {"label": "happy"}, name="smiles")
    first, second = (rule.complete(ASK, schema=SCHEMA) for _ in range(2))
    assert first == second
    assert (first.answer, first.model) == ({"label": "happy"}, "smiles")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text('ab{["', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(
    JSON.filter(lambda v: isinstance(v, (dict, list))),
    st.text("ab \n.", max_size=12),
    st.text("ab \n.}]", max_size=12),
)
def test_json_is_found_whatever_stands_around_it(value, before, after):
    assert parsed(f"{before}{json.dumps(value)}{after}", {}) == (value, "")


@pytest.mark.parametrize(
    ("value", "schema", "wrong"),
    [
        (True, {"type": "integer"}, True), (1, {"type": "integer"}, False), (1.5, {"type": "integer"}, True),
        (1, {"type": "number"}, False), (1, {"enum": [True]}, True), ([1, 2, 3], {"maxItems": 2}, True),
        ([1, "a"], {"items": {"type": "integer"}}, True), ("abc", {"minLength": 4}, True), (5, {"maximum": 4}, True),
        ({"a": 1}, {"required": ["b"]}, True), ({"a": {"b": 1}}, {"properties": {"a": {"properties": {"b": {"type": "string"}}}}}, True),
        ({"a": 1}, {"additionalProperties": False}, True), ({"a": 1}, {"properties": {"a": {"type": "integer"}}}, False),
    ],
)  # fmt: skip
def test_a_schema_is_kept(value, schema, wrong):
    check_schema(schema)
    assert bool(fault(value, schema)) == wrong


def test_a_folder_without_its_extra_says_which(monkeypatch, tmp_path):
    monkeypatch.setattr("kinesics.ports.transformers_folder.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"kinesics\[lab\]"):
        TransformersFolder(tmp_path)


def test_a_folder_of_weights_answers(tmp_path):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    import torch

    words = ["<unk>", "<end>", "system", "user", "assistant", ":", "happy", "sad", "face"]
    core = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>")
    )
    core.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", eos_token="<end>"
    ).save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    model = TransformersFolder(tmp_path, longest=8)
    first, again = (model.complete(ASK).text for _ in range(2))
    assert first == again
    assert set(first.split()) <= set(words)
    drawn = [model.complete(ASK, temperature=1.5).text for _ in range(2)]
    assert drawn[0] == drawn[1], "the same question draws the same answer"
    (tmp_path / "model.safetensors").write_bytes(b"rubbish")
    with pytest.raises(FormatError, match="save it again"):
        TransformersFolder(tmp_path).complete(ASK)


def test_what_is_no_folder_of_weights(tmp_path):
    pytest.importorskip("transformers")
    pytest.importorskip("torch")
    with pytest.raises(FormatError, match=r"config\.json"):
        TransformersFolder(tmp_path)
