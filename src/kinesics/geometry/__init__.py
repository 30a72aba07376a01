"""Arrays only: rotations, skeletons, forward and inverse kinematics."""
