"""The command line: every command is a few lines over a public function."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

import tyro

from kinesics.cli import files, lab, performing, reading, research
from kinesics.errors import KinesicsError


def _stage() -> None:
    """Make and export synthetic people with perfect labels; see `kinesics stage --help`."""
    main(["stage", "--help"])


_GROUPS = {"stage": {"make": research.stage_make, "export": research.stage_export}}
"""Commands that have commands of their own."""

_COMMANDS = {
    "perform": performing.perform,
    "read": reading.read,
    "fetch": reading.fetch,
    "convert": files.convert,
    "info": files.info,
    "view": performing.view,
    "measure": research.measure,
    "metrics": research.metrics,
    "stage": _stage,
    "corpora": research.corpora,
    "download": research.download,
    "prepare": research.prepare,
    "systems": lab.systems,
    "train": lab.train,
    "evaluate": lab.evaluate,
    "export": lab.export,
    "claim": lab.claim,
    "formats": files.formats,
    "skeletons": files.skeletons,
    "avatars": performing.avatars,
    "voices": performing.voices,
    "gestures": performing.gestures,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 2 on a user's error, 130 when interrupted."""
    logging.basicConfig(level=logging.WARNING, format="kinesics: %(message)s", stream=sys.stderr)
    # A killed process should clean up its unfinished files as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if arguments[:1] and arguments[0] in _GROUPS and len(arguments) > 1:
            group = arguments[0]
            tyro.extras.subcommand_cli_from_dict(_GROUPS[group], prog=f"kinesics {group}", args=arguments[1:])
            return
        tyro.extras.subcommand_cli_from_dict(
            _COMMANDS,
            prog="kinesics",
            description="The nonverbal half of human communication, in both directions.",
            args=arguments,
        )
    except KinesicsError as error:
        print(f"kinesics: error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        print("kinesics: interrupted; nothing half-written was kept", file=sys.stderr)
        sys.exit(130)
