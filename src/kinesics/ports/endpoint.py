"""A language model behind a server that speaks OpenAI's chat protocol (OpenAI, vLLM, llama.cpp, Ollama, LM Studio …).

Only what is asked is sent, to the one address that was configured; redirects are not followed, and a key is never sent
in the clear to another machine.
"""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

from kinesics.errors import DataError, KinesicsError
from kinesics.ports.language import LanguageModel, Message, kind_of

BASE, MODEL, KEY = "KINESICS_LLM_BASE", "KINESICS_LLM_MODEL", "KINESICS_LLM_KEY"
"""Names in the environment."""
_MOST = 8_000_000
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_PAUSE = 30.0


class Endpoint(LanguageModel):
    """``POST {base}/chat/completions``.

    Parameters
    ----------
    base
        Address up to ``/v1``, for instance ``http://localhost:11434/v1``; :data:`BASE` in the environment by default.
    model
        Its name there; :data:`MODEL` by default.
    key
        Sent as bearer token; :data:`KEY` by default, none if that is not set.
    images
        Whether pictures may be sent: they may show people, so this must be said.
    folder
        Where replies are kept; None keeps none.
    timeout
        Seconds that one attempt may take.
    retries
        How often it asks again when the server is busy, fails or does not answer.
    pause
        Seconds before the first of these; each is twice the one before, or what the server asks for.
    longest
        Tokens of a reply at most.

    Raises
    ------
    DataError
        If address or model are not given, or a key would go unencrypted to another machine.

    Examples
    --------
    >>> Endpoint("http://localhost:11434/v1", "qwen3:4b").name
    'qwen3:4b at http://localhost:11434/v1'
    """

    def __init__(
        self,
        base: str | None = None,
        model: str | None = None,
        *,
        key: str | None = None,
        images: bool = False,
        folder: str | os.PathLike[str] | None = None,
        timeout: float = 60.0,
        retries: int = 3,
        pause: float = 0.5,
        longest: int = 2048,
    ) -> None:
        super().__init__(folder=folder)
        self.base = (base or os.environ.get(BASE, "")).rstrip("/")
        self.model = model or os.environ.get(MODEL, "")
        self._key = (os.environ.get(KEY, "") if key is None else key).strip()
        self.reads_images = images
        self.timeout, self.retries, self.pause, self.longest = timeout, retries, pause, longest
        if not self.base or not self.model:
            lacks = BASE if not self.base else MODEL
            raise DataError(
                f"a language model needs an address and a name: give base and model, or set {lacks}"
            )
        if timeout <= 0 or retries < 0 or pause < 0 or longest < 1:
            raise DataError(
                f"timeout {timeout}, retries {retries}, pause {pause}, longest {longest}; expected more than 0, 0, 0 and 1"
            )
        parts = urllib.parse.urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise DataError(
                f"address {parts.scheme}://{parts.hostname or ''}…; expected http(s)://host[:port]/v1"
            )
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if self._key and parts.scheme == "http" and not local:
            raise DataError(
                f"{parts.hostname}: a key goes to another machine over https only; use https or no key"
            )
        # A proxy has no business between this machine and itself.
        proxies = [urllib.request.ProxyHandler({})] if local else []
        self._opener = urllib.request.build_opener(_Stay(), *proxies)

    @property
    def name(self) -> str:
        """Model and address."""
        return f"{self.model} at {self.base}"

    def _reply(self, messages: Sequence[Message], images: Sequence[bytes], temperature: float) -> str:
        sent: list[dict[str, Any]] = [dict(m) for m in messages]
        if images:
            shown = [
                {
                    "type": "image_url",
                    "image_url": {"url": f"data:{kind_of(i)};base64,{base64.b64encode(i).decode()}"},
                }
                for i in images
            ]
            sent[-1]["content"] = [{"type": "text", "text": sent[-1]["content"]}, *shown]
        body = {"model": self.model, "messages": sent, "temperature": temperature, "max_tokens": self.longest}
        answer = self._ask(json.dumps(body).encode())
        try:
            text = json.loads(answer)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise self._error("its reply is not one of chat/completions; check the address") from error
        if not isinstance(text, str):
            raise self._error("its reply holds no text; check that the model is one for chat")
        return text

    def _ask(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "kinesics"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(f"{self.base}/chat/completions", body, headers, method="POST")
        for attempt in range(self.retries + 1):
            wait = self.pause * 2**attempt
            try:
                return self._once(request)
            except urllib.error.HTTPError as error:
                with error:
                    told = self._quoted(error.read(2000).decode("utf-8", "replace"))
                if error.code not in _AGAIN or attempt == self.retries:
                    raise self._error(f"{error.code} {error.reason}{_advice(error.code)}{told}") from error
                asked = error.headers.get("Retry-After", "")
                wait = float(asked) if asked.isdigit() else wait
            except (urllib.error.URLError, HTTPException, OSError) as error:
                if attempt == self.retries:
                    reason = getattr(error, "reason", None) or error or type(error).__name__
                    raise self._error(
                        f"no answer in {self.retries + 1} attempts ({reason}); is the server running?"
                    ) from error
            time.sleep(min(wait, _LONGEST_PAUSE))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, request: urllib.request.Request) -> bytes:
        began, parts, size = time.monotonic(), [], 0
        with self._opener.open(request, timeout=self.timeout) as response:
            while part := response.read1(65_536):
                size += len(part)
                if size > _MOST:
                    raise self._error(f"its reply is larger than {_MOST} bytes")
                if time.monotonic() - began > self.timeout:  # the socket's own limit is for each read
                    raise TimeoutError("timed out")
                parts.append(part)
        return b"".join(parts)

    def _error(self, why: str) -> KinesicsError:
        return KinesicsError(f"language model {self.name}: {why}")

    def _quoted(self, text: str) -> str:
        line = " ".join(text.split())[:200]
        if self._key:
            line = line.replace(self._key, "…")
        return f' (it says: "{line}")' if line else ""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would carry question and key to an address that nobody configured."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _advice(code: int) -> str:
    return {
        401: f"; check {KEY}",
        403: f"; check {KEY}",
        404: "; check address and model",
        413: "; ask for less at once",
        429: "; it is busy or the quota is used up",
    }.get(code, "")


def configured(*, folder: str | os.PathLike[str] | None = None) -> Endpoint | None:
    """The endpoint that the environment names (:data:`BASE`, :data:`MODEL`, :data:`KEY`), text only; None where it names none."""
    return Endpoint(folder=folder) if os.environ.get(BASE) else None
