"""Whose map is this: a classifier of mappers, which also describes windows of maps by vectors.

`Classifier().classify(beatmap)` names the likeliest of the mappers it knows; `features` gives the vectors that
distances between sets of maps are measured on. The embedded model needs ONNX Runtime only.
"""

from __future__ import annotations

from mapperatorinator.classifier.classifier import Classifier, Guess

__all__ = ["Classifier", "Guess"]
