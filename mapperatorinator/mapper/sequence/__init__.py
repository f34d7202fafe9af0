"""The sequence mapper: runs the published encoder-decoder checkpoints, token by token.

Vocabulary and profile say what tokens mean, `reading` and `writing` stand between beatmap and tokens, `windows`,
`conditions` and `prompts` between song and network, `network` and `engine` make tokens, `rules` forbid some.
Everything but `network`, `engine`, `rules` and `mapper` works without torch.
"""
