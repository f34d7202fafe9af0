"""Exact positions for maps whose mapper gives coarse ones: diffusion over the places of objects.

`model.load` a published checkpoint, then `refine.refine_positions` of a map's events: both need torch.
`touch.touch_up` moves the objects of a placed map a little with the embedded model, without torch.
"""
