"""ExpLLM: an expression and the reasons for it. See :mod:`~kinesics.systems.read.expllm.spec`."""
