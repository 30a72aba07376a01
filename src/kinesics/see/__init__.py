"""Pictures to tracks: faces, hands and bodies found and followed; what they do, as signals and tiers.

The detectors are the Apache-2.0 models of MediaPipe, which do not ship: ``kinesics fetch landmarks`` brings them.
"""
