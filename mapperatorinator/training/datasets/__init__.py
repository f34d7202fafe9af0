"""Data sets of songs and their maps: `build` packs them, `sources` reads the three published layouts, `samples`
cuts them into what the sequence networks learn from.

Building works without torch; what a sample holds, token by token, is made in `assemble`.
"""
