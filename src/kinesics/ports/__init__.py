"""Small interfaces to what is outside: a text embedder, a language model, a recogniser, a network runtime."""
