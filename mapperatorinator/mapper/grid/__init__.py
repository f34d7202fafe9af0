"""The grid mapper: rhythm on the ticks of the beat grid, then places for what the rhythm drew."""
