"""The oracles behind the golden files: one module per task, with its inputs and what others make of them."""
