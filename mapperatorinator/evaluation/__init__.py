"""How good the maps are: one module per family of figures, each with a command.

Everything here measures; nothing of the product imports it. `mapperatorinator evaluate …` prints a table with
its number of cases, 95 % intervals, command, date, hardware and seed, and writes the same as JSON.
"""
