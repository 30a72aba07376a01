"""A language model in a folder on this machine, run by Hugging Face's ``transformers`` (extra ``lab``).

Nothing is fetched, no code of the folder is run, and weights are read from safetensors only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kinesics.errors import FormatError, MissingExtra
from kinesics.ports.language import LanguageModel, Message


class TransformersFolder(LanguageModel):
    """Weights, configuration and tokenizer as ``save_pretrained`` writes them.

    Parameters
    ----------
    path
        The folder; it is read when the first question comes.
    folder
        Where replies are kept; None keeps none.
    longest
        Tokens of a reply at most.

    Raises
    ------
    FormatError
        If it is no such folder.
    MissingExtra
        If ``transformers`` or torch are not installed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        folder: str | os.PathLike[str] | None = None,
        longest: int = 512,
    ) -> None:
        super().__init__(folder=folder)
        self.path, self.longest = Path(path), longest
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise MissingExtra("lab", f"running the language model in {self.path}")
        if not (self.path / "config.json").is_file():
            raise FormatError(self.path, "config.json", "a folder of transformers", "check the path")

    @property
    def name(self) -> str:
        """The folder's name, and a hash of its configuration."""
        digest = hashlib.sha256((self.path / "config.json").read_bytes()).hexdigest()[:12]
        return f"{self.path.name} {digest}"

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        own: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.path, **own)
            model = AutoModelForCausalLM.from_pretrained(self.path, use_safetensors=True, **own)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise FormatError(
                self.path,
                "content",
                f"a causal language model ({error})",
                "save it again with save_pretrained",
            ) from error
        return tokenizer, model.eval()

    def _reply(self, messages: Sequence[Message], images: Sequence[bytes], temperature: float) -> str:
        import torch

        tokenizer, model = self._loaded
        if tokenizer.chat_template:
            text = tokenizer.apply_chat_template([*messages], tokenize=False, add_generation_prompt=True)
        else:
            text = "".join(f"{m['role']}: {m['content']}\n" for m in messages) + "assistant:"
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=not tokenizer.chat_template)[
            "input_ids"
        ]
        how: dict[str, Any] = (
            {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
        )
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "little"))
            made = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=self.longest,
                pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0, **how,
            )  # fmt: skip
        return tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True).strip()
