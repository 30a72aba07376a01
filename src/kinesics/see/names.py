"""Names of the points that the landmark models give, in their order."""

from __future__ import annotations

FACE: tuple[str, ...] = (
    *(f"mesh_{i}" for i in range(468)),
    *(f"{side}_iris_{part}" for side in ("right", "left") for part in ("middle", "a", "b", "c", "d")),
)
"""The 468 points of the mesh by number, then each iris: its middle and four points of its rim."""

HAND: tuple[str, ...] = (
    "wrist",
    *(f"thumb_{part}" for part in ("cmc", "mcp", "ip", "tip")),
    *(
        f"{finger}_{part}"
        for finger in ("index", "middle", "ring", "little")
        for part in ("mcp", "pip", "dip", "tip")
    ),
)

POSE: tuple[str, ...] = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_little", "right_little", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
"""BlazePose's; left and right are the person's."""
