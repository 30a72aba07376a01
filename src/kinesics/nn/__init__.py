"""What published systems share: attention, temporal convolutions, quantisers, objectives, samplers.

The modules are torch, but for :mod:`~kinesics.nn.samplers` and :mod:`~kinesics.nn.windows`, which know
arrays only and serve torch, numpy and the network runtime alike. Importing this room imports no torch.
"""
