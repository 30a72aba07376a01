"""Pictures to tracks, and tracks to events: who nods, gestures, blinks, smiles, and at whom they look."""
