"""What HamNoSys and SiGML say besides the hands: head, trunk, gaze, brows, lids, nose and mouth."""

from __future__ import annotations

from kinesics.performance import Behaviour, Sync

# Code of the eSIGN non-manual set → kind of behaviour and its attributes.
_HEAD = {
    "NO": ("head", {"lexeme": "NOD", "repetition": "2"}),
    "NU": ("head", {"lexeme": "NOD", "repetition": "2"}),
    "SH": ("head", {"lexeme": "SHAKE", "repetition": "2"}),
    "SR": ("head", {"lexeme": "TURN", "direction": "RIGHT"}),
    "SL": ("head", {"lexeme": "TURN", "direction": "LEFT"}),
    "TR": ("head", {"lexeme": "TILT", "direction": "RIGHT"}),
    "TL": ("head", {"lexeme": "TILT", "direction": "LEFT"}),
    "NF": ("head", {"lexeme": "LOWER"}),
    "NB": ("head", {"lexeme": "RAISE"}),
}
_BODY = {
    "RL": ("posture", {"lexeme": "TURN_LEFT", "amount": "0.3"}),
    "RR": ("posture", {"lexeme": "TURN_RIGHT", "amount": "0.3"}),
    "TL": ("posture", {"lexeme": "LEFT"}),
    "TR": ("posture", {"lexeme": "RIGHT"}),
    "TF": ("posture", {"lexeme": "FORWARD"}),
    "TB": ("posture", {"lexeme": "BACK"}),
    "HE": ("posture", {"lexeme": "INHALE"}),
    "SI": ("posture", {"lexeme": "INHALE"}),
    "ST": ("posture", {"lexeme": "NEUTRAL"}),
}
_GAZE = {
    "AD": "camera",
    "FR": "0,8",
    "HD": "0,-25",
    "HI": "-12,-22",
    "HC": "12,-22",
    "UP": "0,22",
    "DN": "0,-25",
    "LE": "28,0",
    "RI": "-28,0",
    "NO": "0,-12",
    "RO": "0,12",
    "LU": "22,15",
    "LD": "22,-18",
    "RU": "-22,15",
    "RD": "-22,-18",
}
_BROWS = {
    "RB": ("faceLexeme", {"lexeme": "RAISE_BROWS"}),
    "RR": ("faceFacs", {"au": "2", "side": "RIGHT"}),
    "RL": ("faceFacs", {"au": "2", "side": "LEFT"}),
    "FU": ("faceLexeme", {"lexeme": "LOWER_BROWS"}),
}
_LIDS = {
    "WB": ("faceFacs", {"au": "5"}),
    "WR": ("faceFacs", {"au": "5", "side": "RIGHT"}),
    "WL": ("faceFacs", {"au": "5", "side": "LEFT"}),
    "SB": ("faceFacs", {"au": "7"}),
    "SR": ("faceFacs", {"au": "7", "side": "RIGHT"}),
    "SL": ("faceFacs", {"au": "7", "side": "LEFT"}),
    "CB": ("faceFacs", {"au": "43", "amount": "1"}),
    "CR": ("faceFacs", {"au": "43", "side": "RIGHT", "amount": "1"}),
    "CL": ("faceFacs", {"au": "43", "side": "LEFT", "amount": "1"}),
    "TB": ("faceFacs", {"au": "43", "amount": "1"}),
    "BB": ("blink", {}),
}
_NOSE = {"WR": ("faceLexeme", {"lexeme": "WRINKLE_NOSE"}), "TW": ("faceFacs", {"au": "9", "amount": "0.4"})}

TIERS: dict[str, tuple[str, dict[str, tuple[str, dict[str, str]]]]] = {
    "head": ("head", _HEAD),
    "head_movement": ("head", _HEAD),
    "body": ("body", _BODY),
    "body_movement": ("body", _BODY),
    "shoulder": ("shoulder", {}),
    "shoulder_movement": ("shoulder", {}),
    "eyegaze": ("eyegaze", {code: ("gaze", {"target": target}) for code, target in _GAZE.items()}),
    "eye_gaze": ("eyegaze", {code: ("gaze", {"target": target}) for code, target in _GAZE.items()}),
    "eyebrows": ("eyebrows", _BROWS),
    "eye_brows": ("eyebrows", _BROWS),
    "eyelids": ("eyelids", _LIDS),
    "eye_lids": ("eyelids", _LIDS),
    "nose": ("nose", _NOSE),
    "mouthpicture": ("mouthpicture", {}),
    "mouth_picture": ("mouthpicture", {}),
    "mouthgesture": ("mouthgesture", {}),
    "mouth_gesture": ("mouthgesture", {}),
}
"""Element's name without ``hnm_`` → what it is about, and what its codes become."""


def behaviour_of(id: str, tag: str, code: str, start: float, end: float) -> Behaviour | None:
    """The behaviour of a non-manual element during a sign; None for an element that is none.

    Parameters
    ----------
    id
        Of the behaviour.
    tag
        Element's name, without namespace and ``hnm_``.
    code
        Its code (``NO``, ``RB`` …) or, for a mouth picture, the sounds in SAMPA.
    start, end
        Seconds of the sign.

    Returns
    -------
    A behaviour of BML where there is one that does it. Others become ``lips`` (mouth) or ``nonmanual`` (the rest)
    with the code kept: the realiser tells that it has none of these.
    """
    if tag not in TIERS:
        return None
    name, codes = TIERS[tag]
    kind, attributes = codes.get(code.upper(), ("lips" if name.startswith("mouth") else "nonmanual", {}))
    sync = {"start": Sync(round(start, 4)), "end": Sync(round(end, 4))}
    if kind == "blink":
        sync = {"start": Sync(round(start + 0.3 * (end - start), 4))}
    return Behaviour(id, kind, sync, {**attributes, "sigml": f"{name}:{code}"})
