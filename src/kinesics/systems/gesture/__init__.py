"""Systems that move the body to speech."""
