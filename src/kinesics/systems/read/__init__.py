"""Systems that read people: what a face says and feels."""
