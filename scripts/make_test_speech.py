"""Write the speech that tests and CI use: espeak-ng's voice, so that no person's voice is in the repository.

python scripts/make_test_speech.py
"""

from __future__ import annotations

from pathlib import Path

import soundfile

import kinesics as kn

TEXT = (
    "We caught a fish this big, honestly. Would you believe it? No, probably not, but my brother was there."
)
TARGET = Path(__file__).resolve().parents[1] / "tests/data/speech"


def main() -> None:
    speech = kn.speak(TEXT).speech.resample(16000)
    soundfile.write(f"{TARGET}.flac", speech.samples, speech.rate, subtype="PCM_16")
    TARGET.with_suffix(".txt").write_text(TEXT + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
