"""Pictures to tracks and events: landmarks, faces, hands, bodies."""
