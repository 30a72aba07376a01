"""The child process that runs espeak-ng: one JSON request on stdin, one framed reply on stdout.

It is started as a script, never imported: espeak-ng is GPL-3 and lives in a process of its own, and a
crash or a hang of its C code cannot take the user's Python with it. Only the standard library is used,
so that the start costs tens of milliseconds.

Request: ``{"library", "data", "voice", "rate", "pitch", "range", "ipa", "texts": [...], "audio": bool}``.
Reply: one JSON line, ``{"rate", "pieces": [{"events": [[type, start, length, sample, label]], "samples"}]}`` or
``{"error"}``, followed by the PCM of all pieces as little-endian int16 (``samples`` of each, in order).
"""

import ctypes
import json
import sys

RETRIEVAL_SYNCHRONOUS = 2
PHONEME_EVENTS, PHONEME_IPA, DONT_EXIT = 0x0001, 0x0002, 0x8000
UTF8, END_PAUSE = 1, 0x1000
RATE, PITCH, RANGE = 1, 3, 4
WORD, PHONEME = 1, 7


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", _Id),
    ]


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("pad", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


def _load(request):
    lib = ctypes.cdll.LoadLibrary(request["library"])
    options = PHONEME_EVENTS | DONT_EXIT | (PHONEME_IPA if request.get("ipa") else 0)
    rate = lib.espeak_Initialize(RETRIEVAL_SYNCHRONOUS, 200, request["data"].encode(), options)
    if rate <= 0:
        raise RuntimeError("espeak-ng could not read its data at " + request["data"])
    # Breath and jitter of a voice are random, and espeak-ng seeds them from the clock.
    lib.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    lib.espeak_ng_SetRandSeed(1)
    return lib, rate


def _voices(lib):
    lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    listed, found, k = lib.espeak_ListVoices(None), [], 0
    while listed[k]:
        voice, codes, at = listed[k].contents, [], listed[k].contents.languages
        while at and ctypes.string_at(at, 1) != b"\0":  # a priority byte, then a name, repeated
            code = ctypes.string_at(at + 1)
            codes.append(code.decode())
            at += len(code) + 2
        found.append([voice.name.decode(), codes, voice.identifier.decode()])
        k += 1
    return found


def _speak(lib, request):
    if lib.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        raise RuntimeError("no such voice: " + request["voice"])
    for parameter, key in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range")):
        if request.get(key) is not None:
            lib.espeak_SetParameter(parameter, int(request[key]), 0)
    events, pcm = [], bytearray()
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))

    def receive(wave, count, event):
        if wave and count > 0:
            pcm.extend(ctypes.string_at(wave, 2 * count))
        k = 0
        while event[k].type != 0:
            e = event[k]
            if e.type == WORD:
                events.append([WORD, e.position, e.length, e.sample, ""])
            elif e.type == PHONEME:
                # eight bytes may end inside a character: the broken tail is dropped
                events.append(
                    [PHONEME, e.position, e.length, e.sample, e.id.string.decode("utf-8", "ignore")]
                )
            k += 1
        return 0

    keep = kind(receive)
    lib.espeak_SetSynthCallback(keep)
    pieces, sound = [], []
    for text in request["texts"]:
        events.clear()
        pcm.clear()
        raw = text.encode()
        lib.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, UTF8 | END_PAUSE, None, None)
        lib.espeak_Synchronize()
        pieces.append({"events": list(events), "samples": len(pcm) // 2})
        sound.append(bytes(pcm))
    return pieces, sound


def main():
    request = json.loads(sys.stdin.buffer.readline())
    reply, sound = {}, []
    try:
        lib, reply["rate"] = _load(request)
        if request.get("list"):
            reply["voices"] = _voices(lib)
        else:
            reply["pieces"], sound = _speak(lib, request)
            if not request.get("audio", True):
                sound = []
    except (AttributeError, OSError, RuntimeError, ValueError) as problem:  # AttributeError: an older library
        reply = {"error": str(problem)}
    out = sys.stdout.buffer
    out.write(json.dumps(reply).encode() + b"\n")
    for piece in sound:
        out.write(piece)
    out.flush()


if __name__ == "__main__":
    main()
