"""Asking a language model: one small interface, and an offline default.

>>> model = Rules(lambda messages: "It smiles." if "AU12" in messages[-1]["content"] else "It rests.")
>>> model.complete([{"role": "user", "content": "AU12 0.8"}]).text
'It smiles.'

:class:`Rules` is the default: deterministic, no weights, nothing leaves the process. :class:`~kinesics.ports.endpoint.Endpoint`
asks any server that speaks OpenAI's chat protocol, :class:`~kinesics.ports.transformers_folder.TransformersFolder` a folder of
weights on this machine (extra ``lab``).
Answers are kept on disk where a folder is given; the raw reply is always there, and replies that cannot be parsed are counted
apart from those that are wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import math
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, choose
from kinesics.ports._schema import check_schema, parsed

log = logging.getLogger(__name__)

Message = Mapping[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``."""

ROLES = ("system", "user", "assistant")
MOST_TEXT = 400_000
"""Letters of all messages together, and of a reply."""
MOST_IMAGES, MOST_IMAGE = 16, 8_000_000
"""Pictures in one question, and bytes of each."""
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class Reply:
    """What a model said.

    Parameters
    ----------
    text
        The raw reply, always.
    answer
        The JSON in it that fits the schema; None without a schema, or where :attr:`problem` says why not.
    problem
        Why no answer could be parsed; empty if one was, or none was asked for.
    model
        Who answered.
    kept
        Whether it was on disk already.
    """

    text: str
    answer: Any = None
    problem: str = ""
    model: str = ""
    kept: bool = False


class LanguageModel(ABC):
    """What all back ends share: checks, answers kept on disk, parsing and counts.

    Parameters
    ----------
    folder
        Where replies are kept, one file for each question; None keeps none.

    Attributes
    ----------
    asked, failed
        How many questions were asked with a schema, and how many of the replies could not be parsed.
    """

    reads_images = False
    """Whether pictures may be part of a question."""

    def __init__(self, *, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = None if folder is None else Path(folder)
        self.asked = self.failed = 0

    @property
    @abstractmethod
    def name(self) -> str:
        """Who answers: part of what an answer is kept under."""

    @abstractmethod
    def _reply(self, messages: Sequence[Message], images: Sequence[bytes], temperature: float) -> str: ...

    def complete(
        self,
        messages: Sequence[Message],
        *,
        images: Sequence[bytes] = (),
        schema: Mapping[str, Any] | None = None,
        temperature: float = 0.0,
    ) -> Reply:
        """Ask.

        Parameters
        ----------
        messages
            In order, each with ``role`` and ``content``.
        images
            PNG or JPEG files as bytes, shown with the last message; only to a model made for it.
        schema
            What the answer must be, in JSON Schema (see :func:`kinesics.ports._schema.check_schema` for the part that is
            known). The model is told it.
        temperature
            0 to 2; at 0 a model that can be is deterministic.

        Returns
        -------
        Reply
            A reply that does not fit the schema is no error: ``problem`` says what is wrong with it.

        Raises
        ------
        DataError
            If the question is not well formed, or pictures are given to a model that takes text only.
        KinesicsError
            If the model cannot be reached.
        """
        asked = _checked(messages, images, temperature)
        if images and not self.reads_images:
            raise DataError(
                f"{self.name} gets text only; pictures of people are sent only by a model made with images=True"
            )
        if schema is not None:
            check_schema(schema)
            asked = _with_schema(asked, schema)
        key = _key(self.name, asked, images, temperature)
        text = self._kept(key)
        kept = text is not None
        if text is None:
            text = self._reply(asked, images, float(temperature))[:MOST_TEXT]
            self._keep(key, text)
        answer, problem = (None, "") if schema is None else parsed(text, schema)
        self.asked += schema is not None
        self.failed += bool(problem)
        return Reply(text, answer, problem, self.name, kept)

    def _kept(self, key: str) -> str | None:
        if self.folder is None:
            return None
        path = self.folder / f"{key}.json"
        try:
            if path.stat().st_size > 8 * MOST_TEXT:
                raise ValueError("too large")
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["key"] != key or not isinstance(found["text"], str):
                raise ValueError("of another question")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("%s is not an answer that was kept (%s); the model is asked again", path, error)
            return None
        return found["text"]

    def _keep(self, key: str, text: str) -> None:
        if self.folder is None:
            return
        name = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{key[:16]}.", suffix=".part", dir=self.folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"key": key, "model": self.name, "text": text}, file)
            os.replace(name, self.folder / f"{key}.json")
        except OSError as error:
            raise DataError(
                f"cannot keep an answer in {self.folder}: {error.strerror or error}; choose another folder"
            ) from error
        finally:
            if name is not None:
                with suppress(FileNotFoundError):
                    os.unlink(name)


class Rules(LanguageModel):
    """The offline default: a function of the messages, no weights, the same answer every time.

    Parameters
    ----------
    rule
        The task's own rule: messages in, a text out, or a value that is written as JSON.
    name
        Of the rule.
    """

    def __init__(self, rule: Callable[[Sequence[Message]], Any], *, name: str = "rules") -> None:
        super().__init__()
        self._rule, self._name = rule, name

    @property
    def name(self) -> str:
        """Of the rule."""
        return self._name

    def _reply(self, messages: Sequence[Message], images: Sequence[bytes], temperature: float) -> str:
        made = self._rule(messages)
        return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)


def kind_of(image: bytes) -> str:
    """``image/png`` or ``image/jpeg``, by the first bytes; a DataError for anything else."""
    for magic, kind in _PICTURES.items():
        if image[: len(magic)] == magic:
            return kind
    raise DataError("a picture for a language model; expected the bytes of a PNG or JPEG file")


def _checked(
    messages: Sequence[Message], images: Sequence[bytes], temperature: float
) -> list[dict[str, str]]:
    if isinstance(messages, (str, bytes, Mapping)) or not messages:
        raise DataError('messages: expected a list of at least one {"role": …, "content": …}')
    out = []
    for i, message in enumerate(messages):
        if not isinstance(message, Mapping) or set(message) != {"role", "content"}:
            raise DataError(f"message {i}: expected role and content, nothing else")
        choose(f"role of message {i}", message["role"], ROLES)
        if not isinstance(message["content"], str):
            raise DataError(f"message {i}: content is {type(message['content']).__name__}; expected text")
        out.append({"role": message["role"], "content": message["content"]})
    if (size := sum(len(m["content"]) for m in out)) > MOST_TEXT:
        raise DataError(f"messages of {size} letters; at most {MOST_TEXT}: ask in parts")
    if not math.isfinite(temperature) or not 0 <= temperature <= 2:
        raise DataError(f"temperature {temperature}; expected 0 to 2")
    if len(images) > MOST_IMAGES:
        raise DataError(f"{len(images)} pictures in one question; at most {MOST_IMAGES}")
    for image in images:
        kind_of(image)
        if len(image) > MOST_IMAGE:
            raise DataError(f"a picture of {len(image)} bytes; at most {MOST_IMAGE}: make it smaller")
    return out


def _with_schema(messages: list[dict[str, str]], schema: Mapping[str, Any]) -> list[dict[str, str]]:
    told = f"Answer with one JSON value and nothing else. It must fit this JSON Schema:\n{json.dumps(schema, sort_keys=True)}"
    if messages[0]["role"] == "system":
        first = {"role": "system", "content": f"{messages[0]['content']}\n\n{told}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": told}, *messages]


def _key(model: str, messages: Sequence[Message], images: Sequence[bytes], temperature: float) -> str:
    seen = [base64.b16encode(hashlib.sha256(i).digest()).decode() for i in images]
    text = json.dumps([1, model, list(messages), seen, float(temperature)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
