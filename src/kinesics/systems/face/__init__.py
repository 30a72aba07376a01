"""Systems that move the face to speech."""
