"""Data, sampling, training and export of models; may use every other room, and none uses it."""
